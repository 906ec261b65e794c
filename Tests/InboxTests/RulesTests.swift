import Host
import Inbox
import Jobs
import Testing

@Suite struct RulesTests {
    @Test(
        arguments: [
            ("song.mp3", .media), ("SONG.FLAC", .media), ("a.b.c.Opus", .media), ("clip.webm", .media), ("film.MKV", .media),
            ("-rf.wav", .media), ("*.ogg", .media),
            ("song.url", .link(.url)), ("Song.WebLoc", .link(.webloc)), ("song.desktop", .link(.desktop)),
            ("links.urls", .list(.urls)), ("links.list", .list(.list)), ("mine.m3u", .list(.m3u)), ("mine.M3U8", .list(.m3u8)),
            ("song.txt", .text), ("song.LRC", .lyrics),
            ("cover.jpg", .unsupported), ("song", .unsupported), ("mp3", .unsupported), ("song.mp3.zip", .unsupported),
            ("song.", .unsupported), ("song.inetloc", .unsupported),
            ("room.temp", .unsupported), ("download", .unsupported), ("part.mp3", .media), ("temp.mp3", .media),
            ("tmp.mp3", .media), ("4913.mp3", .media),
        ] as [(String, DropKind)])
    func aNameSaysWhatTheFileIs(name: String, kind: DropKind) {
        #expect(DropKind(FileName(name)) == kind)
    }

    @Test(arguments: [
        "song.mp3.part", "song.ocTransferId1234.part", "Song.mp3.CRDOWNLOAD", "Unconfirmed 123.crdownload", "song.mp3.download",
        "song.mp3.partial",
        "song.mp3.opdownload", "song.mp4.part-Frag12", "song.mp4.part-Frag12.part", "song.mp4.ytdl", "song.temp.mp4",
        "song.mp3.aria2", "~syncthing~song.mp3.tmp",
        "song.mp3.tmp", "song.mp3.filepart", "song.mp3.!qB", "links.url.part",
    ])
    func anUnfinishedFileIsLeftAlone(name: String) {
        #expect(DropKind(FileName(name)) == .ignored("still being downloaded or copied"))
    }

    @Test(arguments: [
        ".song.mp3.Xy12Zw", ".~tmp~", ".rsync-partial", ".syncthing.song.mp3.tmp", ".stfolder", ".stversions", ".stignore",
        "._song.mp3", "._song.url", ".DS_Store",
        ".sync_1234.db", ".owncloudsync.log", ".smbdelete1", ".AppleDouble", ".#song.txt", ".@__thumb", ".streams", ".mp3",
        "..mp3",
        "Thumbs.db", "EHTHUMBS.DB", "Desktop.ini", "~$Song.txt", "$RECYCLE.BIN", "System Volume Information",
        "song.mp3:Zone.Identifier",
        "@eaDir", "@tmp", "#recycle", "#snapshot", "@Recycle", "@Recently-Snapshot", "song.mp3~", "song.txt.swp", "4913",
        "Icon\r",
    ])
    func whatSystemsLeaveBehindIsIgnored(name: String) {
        guard case .ignored(let reason) = DropKind(FileName(name)) else {
            Issue.record("\(name) was not ignored")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test(arguments: [
        ("@eaDir", false), ("#recycle", false), ("$Recycle.Bin", false), (".stversions", false), (".streams", false),
        ("@Recently-Snapshot", false), ("song.mp3.download", false),
        ("System Volume Information", false), ("lost+found", false), ("Albums", true), ("song.mp3", true), ("live", true),
        ("a~", true), ("x.swp", true), ("room.temp.b", true),
    ])
    func foldersHaveTheirOwnRules(name: String, isEntered: Bool) {
        #expect((IgnoreRules.reason(forFolder: FileName(name)) == nil) == isEntered)
    }

    @Test func namesThatAreNoTextAreNamesAllTheSame() {
        #expect(DropKind(FileName([0xFF, 0xFE] + Array(".mp3".utf8))) == .media)
        #expect(DropKind(FileName(Array("a\nb\u{202E}.MP3".utf8))) == .media)
        #expect(DropKind(FileName([UInt8](repeating: 0x61, count: 251) + Array(".mp3".utf8))) == .media)
        #expect(DropKind(FileName([0x2E, 0xFF])) == .ignored(IgnoreRules.hidden))
        #expect(DropKind(FileName([])) == .unsupported)
    }

    @Test func theKindDecidesHowItIsRecordedAndRead() {
        #expect(DropKind("a.mp3").dropKind == .media)
        #expect(DropKind("a.url").dropKind == .link)
        #expect(DropKind("a.m3u").dropKind == .list)
        #expect(DropKind("a.txt").dropKind == .lyrics)
        #expect(DropKind("a.txt").listKind == .txt)
        #expect(DropKind("a.m3u8").listKind == .m3u8)
        #expect(DropKind("a.lrc").listKind == nil)
        #expect(MediaTypes.audio.isDisjoint(with: MediaTypes.video))
        for ending in MediaTypes.audio.union(MediaTypes.video) {
            #expect(DropKind(FileName("x." + ending)) == .media)
        }
    }
}
