/// Lyrics as the contents of a file: UTF-8 without a byte order mark, lines ended by `\n`.
///
/// Deterministic: the same lyrics give the same bytes. Word times are made fit first (`WordTimes.fit`), so any lyrics can be
/// rendered. Lyric text may be hostile: what would break the format's structure is escaped, or replaced by characters that
/// look alike. Where nothing is sung, `.srt`, `.lrc` and `.elrc` come out empty (a player shows an empty LRC as broken lyrics:
/// do not publish one) and `.vtt` has its header only.
package func render(_ lyrics: TimedLyrics, as format: OutputFormat, metadata: TrackMetadata = TrackMetadata()) -> String {
    switch format {
    case .txt:
        return lyrics.lines.map { PlainText.verbatim($0.text) + "\n" }.joined()
    case .json:
        return WordJSON.text(WordTimes.fit(lyrics))
    case .srt, .vtt, .lrc, .elrc:
        let (lines, duration) = SungLine.all(of: lyrics)
        return switch format {
        case .srt: SubRip.text(lines, duration: duration)
        case .vtt: WebVTT.text(lines, duration: duration)
        default: LRC.text(lines, duration: duration, hasWordTimes: format == .elrc, metadata: metadata)
        }
    }
}
