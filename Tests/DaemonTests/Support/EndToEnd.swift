import Testing

/// Tests with the real daemon, ffmpeg, yt-dlp and PocketSphinx. Every one ends with the judge of `Tests/Fixtures/checker.py`.
@Suite(.enabled(if: House.hasEngines, House.engineHint)) struct EndToEnd {}
