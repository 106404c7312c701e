/// `store`: where sessions and packets are kept.
package struct StoreConfiguration: Sendable, Equatable {
    /// `memory` or `disk`: whether what is kept is gone when relay ends.
    ///
    /// Default memory.
    package var kind: Kind = .memory

    /// `dead_letters`: how many packets that could not be delivered are kept.
    package var deadLetters = DeadLettersConfiguration()

    /// The defaults.
    package init() {}

    /// Where.
    package enum Kind: Sendable, Equatable {
        /// In this process.
        case memory
        /// In files, which survive it.
        case disk(DiskConfiguration)
    }
}

/// `store.disk`: a store in files.
package struct DiskConfiguration: Sendable, Equatable {
    /// `path`: the folder, which is made if there is none; required.
    ///
    /// Seen from where relay runs.
    package var path: String

    /// `reserve`: new packets are refused while the disk has fewer bytes left.
    ///
    /// Default 16MiB; 0 to 1TiB.
    package var reserveBytes = 16 << 20

    /// A store in this folder.
    package init(path: String) {
        self.path = path
    }
}

/// `store.dead_letters`: how much is kept of packets that will not be tried again.
///
/// The oldest goes when a limit is reached.
package struct DeadLettersConfiguration: Sendable, Equatable {
    /// `keep`: for how long.
    ///
    /// Default 7d; 0s to 3650d. 0s keeps none.
    package var keep: Duration = .seconds(7 * 86400)

    /// `max`: how many.
    ///
    /// Default 10000; 0 to 100000000. 0 keeps none.
    package var packetsMax = 10_000

    /// `bytes`: their bodies and headers together.
    ///
    /// Default 256MiB; 0 to 1TiB. 0 keeps none.
    package var bytesMax = 256 << 20

    /// The defaults.
    package init() {}
}
