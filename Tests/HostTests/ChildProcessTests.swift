import Glibc
import Host
import Synchronization
import Testing

/// `sh -c script` with what every test wants.
private func shell(
    _ script: String, owner: String = "host tests", timeLimit: Duration? = .seconds(60), stallLimit: Duration? = nil,
    grace: Duration = .seconds(5), outputLimit: Int = 50 << 20, environment: [String: String] = ["PATH": "/usr/bin:/bin"]
) -> ChildCommand {
    ChildCommand(
        executable: "/bin/sh", arguments: ["-c", script], environment: environment, workingDirectory: "/tmp", owner: owner,
        timeLimit: timeLimit, stallLimit: stallLimit, grace: grace, outputLimit: outputLimit)
}

/// Runs a script, cancels it once it has printed as many lines as asked for.
private func cancelling(_ command: ChildCommand, afterLines count: Int) async throws -> (result: ChildResult, lines: [String]) {
    let lines = Lines()
    let run = Task { try await ChildProcess.run(command, onStandardOutput: lines.append) }
    try await eventually(within: 20, "\(count) lines") { lines.count >= count }
    run.cancel()
    return (try await run.value, lines.text)
}

@Suite(.timeLimit(.minutes(2))) struct ChildProcessTests {
    // MARK: Starting

    @Test func theChildHasItsOwnSessionNoBlockedSignalAndNoDescriptorOfOurs() async throws {
        let lines = Lines()
        let script = """
            echo $$; cut -d' ' -f6 /proc/$$/stat; grep -E '^Sig(Blk|Ign)' /proc/$$/status; ls -m /proc/$$/fd; readlink /proc/$$/fd/0; pwd
            """
        let result = try await ChildProcess.run(shell(script), onStandardOutput: lines.append)
        #expect(result.ending == .exited(0))
        let text = lines.text
        try #require(text.count == 7)
        #expect(text[0] == text[1], "session id is the pid")
        #expect(text[2] == "SigBlk:\t0000000000000000")
        // 32 and 33 are glibc's own; its posix_spawn leaves them ignored.
        #expect(text[3] == "SigIgn:\t0000000000000000" || text[3] == "SigIgn:\t0000000180000000")
        #expect(text[4] == "0, 1, 2")
        #expect(text[5] == "/dev/null")
        #expect(text[6] == "/tmp")
    }

    @Test func theEnvironmentIsExactlyWhatWasGivenAndOurMarkers() async throws {
        let lines = Lines()
        let command = ChildCommand(
            executable: "env", environment: ["PATH": "/usr/bin:/bin", "SONG": "a\nb"], workingDirectory: "/", owner: "/srv/state")
        _ = try await ChildProcess.run(command, onStandardOutput: lines.append)
        let names = lines.text.compactMap { $0.split(separator: "=").first.map(String.init) }.sorted()
        #expect(names == ["LYRICD_OWNER", "LYRICD_RUN", "PATH", "SONG", "b"])
        #expect(lines.text.contains("LYRICD_OWNER=/srv/state"))
    }

    @Test(arguments: [("no-such-program", ENOENT), ("/no/such/program", ENOENT), ("/etc/passwd", EACCES), ("/tmp", EACCES)])
    func aProgramThatCannotBeRunIsNamedWithTheReason(executable: String, code: Int32) async throws {
        let command = ChildCommand(executable: executable, workingDirectory: "/", owner: "host tests")
        let error = await #expect(throws: SystemCallError.self) { try await ChildProcess.run(command, onStandardOutput: { _ in }) }
        #expect(error?.errno == code)
        #expect(error?.subject == executable)
    }

    @Test func aProgramThatMayNotBeRunIsToldFromOneThatIsMissing() async throws {
        try await withFolder { folder in
            try folder.write("engine", Array("#!/bin/sh\n".utf8), mode: 0o644)
            let command = ChildCommand(
                executable: "engine", environment: ["PATH": "/no/such/folder:\(folder.path):relative"], workingDirectory: "/", owner: "host tests")
            let error = await #expect(throws: SystemCallError.self) { try await ChildProcess.run(command, onStandardOutput: { _ in }) }
            #expect(error == SystemCallError(call: "exec", errno: EACCES, subject: folder.path + "/engine"))
            try folder.setMode(of: "engine", to: 0o755)
            #expect(try await ChildProcess.run(command, onStandardOutput: { _ in }).ending == .exited(0))
        }
    }

    @Test func aScriptWhoseInterpreterIsMissingIsNotFound() async throws {
        try await withFolder { folder in
            try folder.write("script", Array("#!/no/such/interpreter\n".utf8), mode: 0o755)
            let command = ChildCommand(executable: folder.path + "/script", workingDirectory: "/", owner: "host tests")
            let error = await #expect(throws: SystemCallError.self) { try await ChildProcess.run(command, onStandardOutput: { _ in }) }
            #expect(error?.errno == ENOENT)
        }
    }

    @Test func aMissingWorkingDirectoryIsNamed() async throws {
        let command = ChildCommand(executable: "/bin/true", workingDirectory: "/no/such/folder", owner: "host tests")
        let error = await #expect(throws: SystemCallError.self) { try await ChildProcess.run(command, onStandardOutput: { _ in }) }
        #expect(error == SystemCallError(call: "chdir", errno: ENOENT, subject: "/no/such/folder"))
    }

    // MARK: Endings

    @Test func exitStatusAndSignalAreToldApart() async throws {
        #expect(try await ChildProcess.run(shell("exit 7"), onStandardOutput: { _ in }).ending == .exited(7))
        #expect(try await ChildProcess.run(shell("kill -SEGV $$"), onStandardOutput: { _ in }).ending == .signaled(SIGSEGV))
    }

    @Test func aRunOverItsTimeIsEndedAndSaysSo() async throws {
        let result = try await ChildProcess.run(shell("echo; sleep 60", timeLimit: .milliseconds(300)), onStandardOutput: { _ in })
        #expect(result.ending == .timedOut(.milliseconds(300)))
        #expect(result.seconds >= 0.3 && result.seconds < 20)
    }

    @Test func aRunThatNeitherSpeaksNorWorksIsStalled() async throws {
        let result = try await ChildProcess.run(shell("echo hello; sleep 60", stallLimit: .seconds(1)), onStandardOutput: { _ in })
        #expect(result.ending == .stalled(.seconds(1)))
        #expect(result.seconds < 20)
    }

    @Test func aSilentRunThatUsesTheProcessorIsNotStalled() async throws {
        // A loop of about two seconds of CPU time, silent, with half a second as the limit.
        let script = "end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; done"
        let result = try await ChildProcess.run(shell(script, stallLimit: .milliseconds(1500)), onStandardOutput: { _ in })
        #expect(result.ending == .exited(0))
        #expect(result.seconds > 1.9)
    }

    @Test func runawayOutputIsKilled() async throws {
        let bytes = Mutex(0)
        let result = try await ChildProcess.run(shell("trap '' TERM; while :; do echo $$; done & yes", outputLimit: 1 << 20)) { line in
            bytes.withLock { $0 += line.count + 1 }
        }
        guard case .runaway(let count) = result.ending else {
            Issue.record("\(result.ending)")
            return
        }
        #expect(count > 1 << 20 && count < 2 << 20)
        #expect(bytes.withLock { $0 } <= 1 << 20)
    }

    // MARK: Cancelling

    @Test func cancellingSendsTermFirst() async throws {
        let (result, lines) = try await cancelling(
            shell("trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.05; done", grace: .seconds(50)), afterLines: 1)
        #expect(result.ending == .cancelled)
        #expect(lines == ["ready", "asked"])
        #expect(result.seconds < 40)
    }

    @Test func aTaskCancelledBeforehandStartsNothing() async throws {
        try await withFolder { folder in
            let run = Task {
                while !Task.isCancelled { await Task.yield() }
                return try await ChildProcess.run(shell("touch \(folder.path)/started"), onStandardOutput: { _ in })
            }
            run.cancel()
            let ending = try await run.value.ending
            #expect(ending == .cancelled)
            #expect(try folder.list().isEmpty)
        }
    }

    @Test func whoIgnoresTermIsKilledAfterTheGrace() async throws {
        let (result, lines) = try await cancelling(
            shell("trap '' TERM; echo $$; while :; do sleep 0.05; done", grace: .milliseconds(400)), afterLines: 1)
        #expect(result.ending == .cancelled)
        #expect(result.seconds >= 0.4 && result.seconds < 20)
        #expect(!isAlive(try #require(Int32(lines[0]))))
    }

    @Test func aGrandchildThatIgnoresTermDiesAlthoughTheFirstProcessHasGone() async throws {
        let script = "sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.05; done' & wait"
        let (result, lines) = try await cancelling(shell(script, grace: .milliseconds(300)), afterLines: 1)
        #expect(result.ending == .cancelled)
        #expect(!isAlive(try #require(Int32(lines[0]))))
    }

    @Test(arguments: ["wait", "exit 0"])
    func aGrandchildInASessionOfItsOwnDies(rest: String) async throws {
        // Double fork, new session, closed streams: a daemon in the old sense.
        let script = "( setsid sh -c 'trap \"\" TERM; echo $$; exec >/dev/null 2>&1; while :; do sleep 0.05; done' & ) ; sleep 0.3; \(rest)"
        let lines = Lines()
        let result = try await ChildProcess.run(shell(script), onStandardOutput: lines.append)
        #expect(result.ending == .exited(0))
        let escapee = try #require(lines.text.first.flatMap { Int32($0) })
        #expect(!isAlive(escapee))
    }

    @Test func anEscapeeWithoutEnvironmentDiesIfItsParentLives() async throws {
        let script = "setsid env -i /bin/sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.05; done' & wait"
        let (result, lines) = try await cancelling(shell(script, grace: .milliseconds(300)), afterLines: 1)
        #expect(result.ending == .cancelled)
        #expect(!isAlive(try #require(Int32(lines[0]))))
    }

    @Test func aStoppedChildIsEnded() async throws {
        let (result, _) = try await cancelling(shell("echo ready; kill -STOP $$; sleep 60", grace: .seconds(50)), afterLines: 1)
        #expect(result.ending == .cancelled)
        #expect(result.seconds < 40)
    }

    @Test func anotherRunOfTheSameOwnerIsLeftAlone() async throws {
        let lines = Lines()
        let long = Task { try await ChildProcess.run(shell("echo $$; sleep 60"), onStandardOutput: lines.append) }
        try await eventually { lines.count == 1 }
        _ = try await ChildProcess.run(shell("sleep 60 & exit 0"), onStandardOutput: { _ in })
        #expect(isAlive(try #require(Int32(lines.text[0]))))
        long.cancel()
        #expect(try await long.value.ending == .cancelled)
    }

    // MARK: Output

    @Test func aGrandchildThatHoldsStdoutDoesNotHoldUpTheRun() async throws {
        let lines = Lines()
        let result = try await ChildProcess.run(shell("sleep 60 & echo $!; exit 4"), onStandardOutput: lines.append)
        #expect(result.ending == .exited(4))
        #expect(result.seconds < 20)
        #expect(!isAlive(try #require(Int32(lines.text[0]))))
    }

    @Test func aChattyGrandchildDoesNotHoldUpTheRunEither() async throws {
        let result = try await ChildProcess.run(shell("yes & exit 0", outputLimit: 1 << 40), onStandardOutput: { _ in })
        #expect(result.ending == .exited(0))
        #expect(result.seconds < 20)
    }

    @Test func fiveMegabytesJustBeforeTheEndArriveWhole() async throws {
        let bytes = Mutex(0)
        let lines = Mutex(0)
        let result = try await ChildProcess.run(shell("seq 1 700000")) { line in
            bytes.withLock { $0 += line.count + 1 }
            lines.withLock { $0 += 1 }
        }
        #expect(result.ending == .exited(0))
        #expect(lines.withLock { $0 } == 700_000)
        #expect(bytes.withLock { $0 } == 4_788_895)
    }

    @Test func bothStreamsAreReadAtOnce() async throws {
        let output = Lines()
        let errors = Lines()
        let script = "i=0; while [ $i -lt 200 ]; do head -c 2000 /dev/zero | tr '\\0' e >&2; echo >&2; echo $i; i=$((i+1)); done"
        let result = try await ChildProcess.run(shell(script), onStandardOutput: output.append, onStandardError: errors.append)
        #expect(output.text == (0..<200).map(String.init))
        #expect(errors.count == 200)
        #expect(errors.bytes.allSatisfy { $0.count == 2000 })
        #expect(result.stderrTail.utf8.count <= 4096 && result.stderrTail.hasSuffix("eee"))
    }

    @Test func linesEndAtNewlineAndAtCarriageReturn() async throws {
        let lines = Lines()
        _ = try await ChildProcess.run(shell("printf '10%%\\r20%%\\r\\nthree\\n\\nlast'"), onStandardOutput: lines.append)
        #expect(lines.text == ["10%", "20%", "three", "", "last"])
    }

    @Test func aHugeLineIsCutAndTheNextOneIsWhole() async throws {
        let lines = Lines()
        _ = try await ChildProcess.run(
            shell("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo next; head -c 300000 /dev/zero | tr '\\0' y"), onStandardOutput: lines.append)
        #expect(lines.bytes.map(\.count) == [65536, 4, 65536])
        #expect(lines.text[1] == "next")
    }

    @Test func theTailOfStderrIsSafeToPrint() async throws {
        let result = try await ChildProcess.run(
            shell("head -c 9000 /dev/zero | tr '\\0' a >&2; printf '\\033[31mred\\n<0>\\377 \\303\\244\\n' >&2"), onStandardOutput: { _ in })
        #expect(result.stderrTail.hasSuffix("a\\u{1B}[31mred\n<0>\\xFF ä"))
        #expect(result.stderrTail.count > 4000 && result.stderrTail.count < 4200)
    }

    // MARK: Measuring and cleaning up

    @Test func theMemoryOfTheWholeRunIsMeasured() async throws {
        // Two processes of 60 MB each, together more than either.
        let hold = "head -c 60000000 /dev/zero | tail -c 60000000 | { sleep 3; cat >/dev/null; }"
        let result = try await ChildProcess.run(shell("\(hold) & \(hold); wait"), onStandardOutput: { _ in })
        #expect(result.ending == .exited(0))
        #expect(result.peakMemory > 110_000_000 && result.peakMemory < 260_000_000)
    }

    @Test func twoHundredChildrenLeaveNoZombieAndNoDescriptor() async throws {
        _ = try await ChildProcess.run(shell("true"), onStandardOutput: { _ in })
        let before = try openDescriptors()
        let owner = "host tests two hundred"
        try await withThrowingTaskGroup(of: ChildResult.self) { group in
            for number in 0..<200 {
                // Ten at a time: each costs two pipes and a handle.
                if number >= 10 { #expect(try await group.next()?.ending == .exited(0)) }
                group.addTask { try await ChildProcess.run(shell("sleep 30 & echo $0", owner: owner), onStandardOutput: { _ in }) }
            }
            for try await result in group { #expect(result.ending == .exited(0)) }
        }
        // Other tests run beside this one and have children of their own: a few, not two hundred.
        #expect(try openDescriptors() - before < 60)
        #expect(ChildSweep.killAll(owner: owner) == 0)
        let zombies = try Directory.open("/proc").list().filter { name in
            guard Int32(name.display) != nil, let stat = try? text(of: "/proc/\(name.display)/stat"),
                let bracket = stat.lastIndex(of: ")")
            else { return false }
            let fields = stat[bracket...].split(separator: " ")
            return fields[1] == "Z" && fields[2] == "\(getpid())"
        }
        #expect(zombies.count < 20)
    }

    @Test func theSweepFindsWhatACrashLeftOver() async throws {
        let owner = "/srv/state \(UInt32.random(in: 0 ... .max))"
        let lines = Lines()
        let run = Task {
            try await ChildProcess.run(
                shell("setsid sh -c 'echo $$; sleep 60' & sh -c 'trap \"\" TERM; echo $$; sleep 60' & wait", owner: owner),
                onStandardOutput: lines.append)
        }
        try await eventually { lines.count == 2 }
        #expect(ChildSweep.killAll(owner: owner) >= 3)
        #expect(try await run.value.ending == .signaled(SIGKILL))
        for line in lines.text { #expect(!isAlive(try #require(Int32(line)))) }
        #expect(ChildSweep.killAll(owner: owner) == 0)
    }

    @Test func theSweepLeavesOthersAlone() async throws {
        let lines = Lines()
        let run = Task { try await ChildProcess.run(shell("echo; sleep 60", owner: "/srv/a"), onStandardOutput: lines.append) }
        try await eventually { lines.count == 1 }
        #expect(ChildSweep.killAll(owner: "/srv") == 0)
        #expect(ChildSweep.killAll(owner: "/srv/ab") == 0)
        run.cancel()
        #expect(try await run.value.ending == .cancelled)
    }
}
