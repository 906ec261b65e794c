import Host
import Jobs

/// Refuses links that lead into the own house: this machine, the local network, addresses that are nobody's.
///
/// The check is made before the downloader starts. A server that redirects, or a name that answers differently the second time,
/// is caught by the downloader's own check at every connection (`ytdlp_engine.py`), which follows the same table.
package struct AddressGuard: Sendable {
    /// Why a link is refused.
    package enum Refusal: Error, Equatable, Sendable {
        /// Not a link we take: scheme, user name, odd spelling of a host.
        case link(WebLinkError)
        /// The host's name leads to this address.
        case privateAddress(host: String, address: String)
        /// The name has no address now; may be otherwise later.
        case unresolved(host: String, reason: String)
    }

    package let allowPrivateAddresses: Bool
    private let resolve: @Sendable (String) async -> Result<[NetworkAddress], HostLookup.Failure>

    /// - Parameters:
    ///   - allowPrivateAddresses: for tests against a server on loopback.
    ///   - resolve: from a host's name to all of its addresses.
    package init(
        allowPrivateAddresses: Bool = false,
        resolve: @escaping @Sendable (String) async -> Result<[NetworkAddress], HostLookup.Failure> = HostLookup.addresses
    ) {
        self.allowPrivateAddresses = allowPrivateAddresses
        self.resolve = resolve
    }

    /// Returns where the link may be fetched.
    @discardableResult
    package func check(_ url: String) async throws(Refusal) -> WebLink {
        let link: WebLink
        // So strict that no other reader of the same link can see another host in it.
        do { link = try WebLink(url) } catch { throw .link(error) }
        let host = link.host
        let addresses: [NetworkAddress]
        switch await resolve(host) {
        case .success(let found): addresses = found
        case .failure(let failure): throw .unresolved(host: host, reason: failure.reason)
        }
        guard !addresses.isEmpty else { throw .unresolved(host: host, reason: "no address") }
        if allowPrivateAddresses { return link }
        // One private address among public ones is enough: the downloader may take that one.
        if let inside = addresses.first(where: { !$0.isPublic }) {
            throw .privateAddress(host: host, address: inside.description)
        }
        return link
    }
}
