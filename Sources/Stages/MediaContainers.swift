/// What a recording may be wrapped in.
///
/// ffmpeg decides by the contents what a file is, and some of the formats it knows are lists of other files: a playlist named
/// `song.mp3` makes it read any file of this machine. So it is given the names of all formats that hold their own sound, and no
/// others. Left out on purpose: hls, dash, concat, imf, sdp, subfile-like protocols, image and subtitle formats, raw PCM (which
/// any file is), module music.
/// Source: ffmpeg-formats(1), "format_whitelist"; `ffmpeg -demuxers`.
enum MediaContainers {
    static let demuxers = [
        "aac", "ac3", "aiff", "amr", "amrnb", "amrwb", "ape", "asf", "au", "avi", "caf", "dsf", "dts", "dtshd", "eac3", "flac", "flv",
        "iff", "loas", "matroska", "mlp", "mov", "mp3", "mpc", "mpc8", "mpeg", "mpegts", "ogg", "oma", "rm", "shn", "spdif", "tak",
        "truehd", "tta", "voc", "w64", "wav", "wv", "xwma",
    ]

    /// For ffmpeg and ffprobe, before `-i`.
    static let options = [
        "-protocol_whitelist", "file,pipe", "-format_whitelist", demuxers.joined(separator: ","),
        // Bytes in one piece; a broken header may ask for anything.
        "-max_alloc", "536870912",
    ]
}
