/// One 128-bit id for each kind of event, as journald filters on them; each has an entry in systemd/lyricd.catalog.
///
/// Made once with `systemd-id128 new`; never changed, never reused.
package enum MessageID {
    package static let started = "a82b5b5147ac4696a41c979beae8a9e3"
    package static let stageDone = "93815c338d8d4478a8b5bfd0f1263c3f"
    package static let stageFailed = "7829d46b9b994d66a20bafaa807026af"
    package static let stageStopped = "f98f6faad39a4a6eb50f338d997df445"
    package static let published = "f1cbd52dc5ba42988663563a8f5e1985"
    package static let recovered = "80ab9d541ed446fab752682b12575636"
    package static let stopping = "d7ff927596004b4bbb15ab80e7ae35c1"
    package static let reloaded = "266d6c0c17a8469887758b1b820a2a53"
    package static let storeRestored = "a382877eeea34b6d8261ecea846830c8"

    package static let all = [
        started, stageDone, stageFailed, stageStopped, published, recovered, stopping, reloaded, storeRestored,
    ]
}
