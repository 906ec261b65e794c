/// Endings of files that are taken as recordings. What is in them is ffprobe's to say; an ending only keeps pictures, texts and
/// archives that happen to lie in the inbox from becoming failed jobs.
package enum MediaTypes {
    /// Small letters, without the dot.
    package static let audio: Set<String> = [
        "aac", "ac3", "aif", "aifc", "aiff", "alac", "amr", "ape", "au", "caf", "dff", "dsf", "dts", "eac3", "flac", "m4a", "m4b",
        "mka",
        "mp2", "mp3", "mpc", "mpga", "oga", "ogg", "opus", "snd", "spx", "tta", "wav", "wave", "weba", "wma", "wv",
    ]

    /// Their first audio stream is taken, or the one in the configured language.
    package static let video: Set<String> = [
        "3g2", "3gp", "asf", "avi", "flv", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "ogv", "ts", "vob", "webm",
        "wmv",
    ]

    /// - Parameter ending: as `FileName.pathExtension` gives it.
    package static func isMedia(_ ending: String) -> Bool { audio.contains(ending) || video.contains(ending) }
}
