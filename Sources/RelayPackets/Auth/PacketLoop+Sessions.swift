import Logging
import RelayObservation
import RelayStore

extension PacketLoop {
    /// Ends the sessions that a backend's answer names, in the realm of whom it was asked for.
    func endSessions(of clients: [ClientName], in realm: RealmID) {
        for client in clients {
            if self.logger.logLevel <= .info {
                self.logger.info(
                    "a backend ends a session",
                    metadata: ["realm": "\(self.store.name(of: realm))", "client": "\(client)"]
                )
            }
            self.operate { store, _, effects in
                _ = store.endSession(of: client, in: realm, &effects)
            }
        }
    }
}
