import Lyrics

extension Setting {
    /// Every key, in the order of the file.
    package static let all: [Setting] = folders + inbox + profile + lanes + limits + retry + service

    /// The sections in the order of the file, each with one sentence.
    package static let sections: [(name: String, doc: String)] = [
        ("folders", "Where things lie. No folder may lie in another one's, but all may lie in the state folder."),
        ("inbox", "When a file is complete, and what becomes of it."),
        (
            "profile.NAME",
            "What a recording is made into. A sub-folder of the inbox named like a profile selects it; what a profile leaves out is as in default."
        ),
        ("lanes", "How many stages run side by side, by what they need."),
        ("limits", "What is refused, stopped or put off."),
        ("retry", "What happens after a failure that may pass."),
        ("service", "The daemon itself."),
    ]

    private static let folders: [Setting] = [
        .text(
            "folders.inbox", \Configuration.folders.inbox, .path(mayBeEmpty: false),
            "Recordings, links and lyrics are dropped here."),
        .text("folders.outbox", \Configuration.folders.outbox, .path(mayBeEmpty: false), "Finished folders appear here."),
        .text(
            "folders.archive", \Configuration.folders.archive, .path(mayBeEmpty: false),
            "What was dropped goes here after it is done, with inbox.source = \"archive\"."),
        .text(
            "folders.failed", \Configuration.folders.failed, .path(mayBeEmpty: false),
            "What could not be done goes here, beside a text that says why."),
        .text(
            "folders.state", \Configuration.folders.state, .path(mayBeEmpty: false),
            "Database, backups and work in progress; a local disk."),
        .text(
            "folders.runtime", \Configuration.folders.runtime, .path(mayBeEmpty: false),
            "What the running daemon is doing, for the command line."),
        .text(
            "folders.engines", \Configuration.folders.engines, .path(mayBeEmpty: true),
            "Programs that do the work; \"\" is engines in the state folder."),
    ]

    private static let anyTime = Duration.zero...Duration.seconds(86400)
    private static let interval = Duration.milliseconds(10)...Duration.seconds(86400)

    private static let inbox: [Setting] = [
        .choice(
            "inbox.watch", \.inbox.watch,
            "\"auto\" is told of changes by the kernel where the file system can; \"poll\" looks by itself, always."),
        .choice("inbox.source", \.inbox.source, "What becomes of a dropped file after its result is safe."),
        .duration("inbox.settle", \.inbox.settle, anyTime, "A recording is complete when it has not changed for so long."),
        .duration(
            "inbox.settle_moved", \.inbox.settleMoved, anyTime, "The same after a rename, as copying programs do at their end."),
        .duration("inbox.settle_link", \.inbox.settleLink, anyTime, "The same for link files, lists and lyrics."),
        .duration("inbox.settle_suspect", \.inbox.settleSuspect, anyTime, "The same for files with holes or a second hard link."),
        .duration("inbox.settle_network", \.inbox.settleNetwork, anyTime, "The same on network file systems."),
        .duration("inbox.settle_empty", \.inbox.settleEmpty, anyTime, "An empty file is refused after so long."),
        .duration(
            "inbox.settle_max", \.inbox.settleMax, .seconds(60)...(.seconds(30 * 86400)),
            "A file that still changes after so long is reported; it is not taken."),
        .duration(
            "inbox.rescan", \.inbox.rescan, interval, "All folders are looked through again so often, whatever was notified."),
        .duration("inbox.poll", \.inbox.poll, interval, "The same for folders that cannot be watched."),
        .duration(
            "inbox.lyrics_wait", \.inbox.lyricsWait, .zero...(.seconds(30 * 86400)),
            "Lyrics wait so long for a recording of the same name."),
        .duration(
            "inbox.lyrics_grace", \.inbox.lyricsGrace, .zero...(.seconds(30 * 86400)),
            "Lyrics that come so long after the recording was done still count: it is done again."),
        .flag(
            "inbox.require_mount", \.inbox.requireMount,
            "Take nothing unless the inbox is a mount point: an unmounted disk looks empty."),
        .integer("inbox.max_depth", \.inbox.maxDepth, 1...64, "Folders in folders; deeper ones are left out."),
        .integer("inbox.max_folders", \.inbox.maxFolders, 1...1_000_000, "Folders in all; more are left out."),
    ]

    private static let profile: [Setting] = [
        .text(
            "profile.NAME.separate", \Profile.separate, .choice(["centre", "none"]),
            "How the voice is taken out of the music: the centre of the stereo picture, or not at all."),
        .text("profile.NAME.transcribe", \Profile.transcribe, .choice(["pocketsphinx"]), "Engine that hears the words."),
        .text("profile.NAME.align", \Profile.align, .choice(["pocketsphinx"]), "Engine that finds the time of each word."),
        .text("profile.NAME.language", \Profile.language, .language, "Language of the lyrics."),
        .text(
            "profile.NAME.audio_language", \Profile.audioLanguage, .audioLanguage,
            "Which audio stream of a video is taken; \"\" takes the first."),
        .list("profile.NAME.formats", \Profile.formats, OutputFormat.allCases.map(\.rawValue), "Files to make."),
    ]

    private static let lanes: [Setting] = [
        .integer("lanes.network", \.lanes.network, 1...64, "Downloads."),
        .integer("lanes.light", \.lanes.light, 1...64, "Short work of one core: reading, separating, writing."),
        .integer("lanes.heavy", \.lanes.heavy, 1...64, "Recognisers and aligners."),
    ]

    private static let limits: [Setting] = [
        .duration(
            "limits.duration_max", \.limits.durationMax, .seconds(1)...(.seconds(7 * 86400)), "Longer recordings are refused."),
        .size("limits.size_max", \.limits.sizeMax, 1 << 10...1 << 40, "Larger files are refused, and downloads stopped."),
        .duration("limits.fetch_time", \.limits.fetchTime, .seconds(1)...(.seconds(7 * 86400)), "A download may take so long."),
        .duration(
            "limits.fetch_stall", \.limits.fetchStall, .seconds(1)...(.seconds(86400)),
            "A download that stands still is stopped after so long."),
        .duration(
            "limits.stage_time_base", \.limits.stageTimeBase, .seconds(1)...(.seconds(86400)),
            "Every other stage may take so long, and more for longer recordings."),
        .number(
            "limits.stage_time_factor", \.limits.stageTimeFactor, 0...1000, "Seconds more, for each second of the recording."),
        .integer("limits.queue_max", \.limits.queueMax, 1...10_000_000, "With so many unfinished jobs nothing more is taken."),
        .size("limits.free_space", \.limits.freeSpace, 0...1 << 50, "With less free space on the disk, work waits."),
    ]

    private static let retry: [Setting] = [
        .integer("retry.attempts", \.retry.attempts, 1...100, "A stage is tried so often before its job has failed."),
        .duration(
            "retry.delay", \.retry.delay, .milliseconds(10)...(.seconds(86400)),
            "The wait before the second attempt; it doubles with each one."),
        .duration(
            "retry.delay_max", \.retry.delayMax, .milliseconds(10)...(.seconds(30 * 86400)),
            "The longest wait between two attempts."),
        .integer(
            "retry.crash_limit", \.retry.crashLimit, 1...100,
            "A job that was running in so many crashes of the daemon is held for a person."),
    ]

    private static let service: [Setting] = [
        .duration(
            "service.drain", \.service.drain, .zero...(.seconds(3600)),
            "After a stop, running stages get so long to finish; they go on after the next start."),
        .choice("service.log_level", \.service.logLevel, "What is written to the journal."),
        .integer("service.backups", \.service.backups, 1...365, "Backups of the database that are kept."),
        .duration(
            "service.backup_every", \.service.backupEvery, .seconds(60)...(.seconds(30 * 86400)),
            "A backup of the database is made so often."),
    ]
}
