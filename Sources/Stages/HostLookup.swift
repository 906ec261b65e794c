import Dispatch
import Glibc
import Synchronization

/// From a host's name to its addresses, the way every program on this machine sees them (`/etc/hosts`, DNS, odd spellings of
/// IPv4 addresses included).
package enum HostLookup {
    package struct Failure: Error, Sendable, Equatable {
        /// `Name or service not known`
        package let reason: String
        package init(reason: String) { self.reason = reason }
    }

    /// getaddrinfo(3) waits for name servers as long as it likes, so it does that on a thread of its own; a cancelled task does
    /// not wait for it, the thread ends when the answer is there.
    package static func addresses(of host: String) async -> Result<[NetworkAddress], Failure> {
        let answer = Answer()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                answer.wait(continuation)
                // A queue of its own has a thread of its own while it works.
                DispatchQueue(label: "lyricd.lookup").async { @Sendable in answer.give(lookUp(host)) }
            }
        } onCancel: {
            answer.give(.failure(Failure(reason: "stopped")))
        }
    }

    private static func lookUp(_ host: String) -> Result<[NetworkAddress], Failure> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        guard status == 0 else { return .failure(Failure(reason: String(cString: gai_strerror(status)))) }
        defer { freeaddrinfo(list) }
        var addresses: [NetworkAddress] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let address = entry.ai_addr else { continue }
            if entry.ai_family == AF_INET {
                address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                    addresses.append(NetworkAddress(withUnsafeBytes(of: address.pointee.sin_addr) { Array($0) }))
                }
            } else if entry.ai_family == AF_INET6 {
                address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                    addresses.append(NetworkAddress(withUnsafeBytes(of: address.pointee.sin6_addr) { Array($0) }))
                }
            }
        }
        return .success(addresses)
    }

    /// Resumes its waiter once, with whatever comes first.
    private final class Answer: Sendable {
        private enum State {
            case nobody
            case waiting(CheckedContinuation<Result<[NetworkAddress], Failure>, Never>)
            case given(Result<[NetworkAddress], Failure>)
            case over
        }
        private let state = Mutex(State.nobody)

        func wait(_ continuation: CheckedContinuation<Result<[NetworkAddress], Failure>, Never>) {
            let early = state.withLock { state -> Result<[NetworkAddress], Failure>? in
                if case .given(let result) = state {
                    state = .over
                    return result
                }
                state = .waiting(continuation)
                return nil
            }
            if let early { continuation.resume(returning: early) }
        }

        func give(_ result: Result<[NetworkAddress], Failure>) {
            let waiter = state.withLock { state -> CheckedContinuation<Result<[NetworkAddress], Failure>, Never>? in
                switch state {
                case .nobody:
                    state = .given(result)
                    return nil
                case .waiting(let waiter):
                    state = .over
                    return waiter
                case .given, .over:
                    return nil
                }
            }
            waiter?.resume(returning: result)
        }
    }
}
