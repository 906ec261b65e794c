import CLinux
import Glibc

/// Whether the changes on a file system all pass through this kernel.
package enum FileSystemKind: Sendable, Equatable {
    /// They do: inotify sees every one.
    case local(String)
    /// Others change it too, unseen: NFS, SMB, FUSE, 9p …
    case network(String)
    /// Nobody knows, or it depends: overlayfs hides changes made in its layers.
    case unknown(String)

    /// As in /proc/self/mountinfo: `ext4`, `nfs4`, `fuse.sshfs`.
    package var name: String {
        switch self {
        case .local(let name), .network(let name), .unknown(let name): name
        }
    }

    /// By the type's name. Source: inotify(7), "Limitations and caveats"; the kernel's Documentation/filesystems.
    package init(name: String) {
        switch name {
        case "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "bcachefs", "tmpfs", "ramfs", "vfat", "msdos", "exfat", "ntfs3",
            "fuseblk", "jfs", "reiserfs", "nilfs2", "hfsplus", "udf", "iso9660", "squashfs", "erofs":
            self = .local(name)
        case "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "ceph", "afs", "coda", "gfs2", "ocfs2", "lustre", "glusterfs",
            "vboxsf", "prl_fs", "vmhgfs", "fuse":
            self = .network(name)
        default:
            self = name.hasPrefix("fuse.") ? .network(name) : .unknown(name)
        }
    }

    static func of(descriptor: Int32, path: String) throws(SystemCallError) -> FileSystemKind {
        var magic: Int64 = 0
        _ = try check("statfs", path) { clinux_file_system_magic(descriptor, &magic) }
        // The mount's own entry says more than the number: all of FUSE shares one.
        if let name = mountedType(of: descriptor) { return FileSystemKind(name: name) }
        if let name = names[magic] { return FileSystemKind(name: name) }
        return .unknown("0x" + String(magic, radix: 16))
    }

    /// The type in the mountinfo line whose number /proc/self/fdinfo gives. Not by device number: btrfs has one for each subvolume.
    private static func mountedType(of descriptor: Int32) -> String? {
        guard let information = ProcFile.lines("/proc/self/fdinfo/\(descriptor)"),
            let line = information.first(where: { $0.hasPrefix("mnt_id:") }),
            let mount = line.dropFirst(7).split(whereSeparator: { $0 == " " || $0 == "\t" }).first
        else { return nil }
        for line in ProcFile.lines("/proc/self/mountinfo") ?? [] where line.hasPrefix(mount + " ") {
            // Optional fields end at a lone hyphen; the type follows. Source: proc(5).
            let fields = line.split(separator: " ")
            if let hyphen = fields.firstIndex(of: "-"), hyphen + 1 < fields.count { return String(fields[hyphen + 1]) }
        }
        return nil
    }

    /// Source: linux/magic.h and statfs(2).
    private static let names: [Int64: String] = [
        0xEF53: "ext4", 0x5846_5342: "xfs", 0x9123_683E: "btrfs", 0xF2F5_2010: "f2fs", 0x2FC1_2FC1: "zfs", 0x0102_1994: "tmpfs",
        0x4D44: "vfat", 0x2011_BAB0: "exfat", 0x6969: "nfs", 0xFF53_4D42: "cifs", 0xFE53_4D42: "smb3", 0x0102_1997: "9p",
        0x6573_5546: "fuse", 0x00C3_6400: "ceph", 0x794C_7630: "overlay", 0x5346_414F: "afs", 0x786F_4256: "vboxsf",
    ]
}
