import Logging
import RelayConfig
import RelayStore

extension DiskStore {
    /// The store on disk that relay.yaml names; nil if it names none.
    static func opened(
        _ configuration: StoreConfiguration,
        clock: @escaping @Sendable () -> StoreInstant,
        logger: Logger
    ) throws -> DiskStore? {
        guard case .disk(let disk) = configuration.kind else { return nil }
        return try DiskStore(DiskSettings(disk), clock: clock) { $0.log(to: logger) }
    }
}

extension DiskEvent {
    /// Says in the log what happened.
    fileprivate func log(to logger: Logger) {
        switch self {
        case .failed(let reason):
            logger.error(
                "the store could not be written; new packets are refused until it can",
                metadata: ["reason": "\(reason)"]
            )
        case .recovered: logger.notice("the store can be written again")
        case .full(let free):
            logger.error(
                "the disk is nearly full; new packets are refused, and none is sent to a backend",
                metadata: ["free": "\(free)"]
            )
        case .roomAgain(let free):
            logger.notice(
                "the disk has room again; packets are taken",
                metadata: ["free": "\(free)"]
            )
        case .logGrows(let path, let bytes):
            logger.warning(
                "the store's log grows; somebody holds a transaction open on the store",
                metadata: ["file": "\(path)", "bytes": "\(bytes)"]
            )
        case .damaged(let path, let reason):
            logger.critical(
                "the store's file is damaged; nothing is written any more",
                metadata: ["file": "\(path)", "reason": "\(reason)"]
            )
        case .damagedPacket(let number):
            logger.error(
                "a stored packet is damaged or gone; it is not delivered",
                metadata: ["packet": "\(number)"]
            )
        case .readFailed(let reason):
            logger.error(
                "a stored packet could not be read; trying again",
                metadata: ["reason": "\(reason)"]
            )
        }
    }
}
