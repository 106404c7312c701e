/// A client's claim to a token, from the beginning of its login to the end of its session.
struct TokenClaim: Sendable, Equatable {
    /// The hash of token and realm.
    ///
    /// The token itself stands in the session's record.
    let hash: UInt64

    /// Whose token it is.
    let client: ClientHandle

    /// The session that it belongs to.
    let epoch: UInt64
}

/// Says which client a token may belong to; whether it does, the client's record knows.
///
/// One token has one claim. Two tokens whose keyed hashes are equal, which happens once in 2^64
/// pairs, count as the same one here, so that the second login is refused; nobody gets in by it,
/// because the record compares the bytes.
struct TokenTable: ~Copyable, Sendable {
    private var claims = Slab<TokenClaim>()
    private var index = SlotIndex()

    /// Who claims the token with this hash.
    func owner(of hash: UInt64) -> ClientHandle? {
        self.slot(of: hash).map { self.claims[$0].client }
    }

    /// Stores a claim, unless the token is claimed by another client.
    ///
    /// - Parameter dead: a claim of another client that may be replaced.
    /// - Returns: the claim that stands in the way, or nil if there is none.
    mutating func claim(_ claim: TokenClaim, replacing dead: TokenClaim?) -> TokenClaim? {
        guard let slot = self.slot(of: claim.hash) else {
            self.index.insert(claim.hash, self.claims.insert(claim))
            return nil
        }
        let present = self.claims[slot]
        if present.client == claim.client {
            // Two logins of one client at the same time: the later one will last.
            if present.epoch < claim.epoch { self.claims[slot] = claim }
            return nil
        }
        guard present == dead else { return present }
        self.claims[slot] = claim
        return nil
    }

    /// Forgets a claim, unless another one has taken its place.
    mutating func release(_ claim: TokenClaim) {
        guard let slot = self.slot(of: claim.hash), self.claims[slot] == claim else { return }
        self.claims.remove(slot)
        self.index.remove(claim.hash, slot)
    }

    /// Gives memory back that a smaller table does not need.
    mutating func releaseMemory() {
        self.claims.releaseVacantChunks()
        self.index.shrinkIfSparse()
    }

    private func slot(of hash: UInt64) -> UInt32? {
        self.index.find(hash) { self.claims[$0].hash == hash }
    }
}
