import RelayHTTP
import RelayObservation

/// What `GET /status` tells of the running relay.
package struct RelayStatus: Sendable {
    /// relay's version.
    package let version: String
    /// The number of the generation in force; 0 before the first.
    package let generation: Int
    /// The pools of that generation, in the order of the file.
    package let pools: [Pool]

    /// A status.
    package init(version: String, generation: Int, pools: [Pool]) {
        self.version = version
        self.generation = generation
        self.pools = pools
    }

    /// A pool and its targets.
    package struct Pool: Sendable {
        /// Its name.
        package let name: String
        /// Its targets.
        package let targets: [Target]

        /// A pool.
        package init(name: String, targets: [Target]) {
            self.name = name
            self.targets = targets
        }
    }

    /// A target and how it does.
    package struct Target: Sendable {
        /// Its URL, and behind `resolve` its address.
        package let url: String
        /// `up`, `unreachable`, `failing` or `ejected`.
        package let health: String
        /// Requests for it, checks not counted.
        package let requests: UInt64
        /// Those that have no complete response.
        package let failures: UInt64
        /// Those under way.
        package let underWay: Int
        /// Connections that are open or about to be.
        package let connections: Int

        /// A target.
        package init(
            url: String,
            health: String,
            requests: UInt64,
            failures: UInt64,
            underWay: Int,
            connections: Int
        ) {
            self.url = url
            self.health = health
            self.requests = requests
            self.failures = failures
            self.underWay = underWay
            self.connections = connections
        }
    }

    /// The status as JSON, with a line end.
    var json: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(#"{"version":"#)
        JSONText.appendString(self.version, to: &bytes)
        bytes.append(#","generation":"#)
        bytes.append(decimal: UInt64(clamping: self.generation))
        bytes.append(#","pools":{"#)
        for (index, pool) in self.pools.enumerated() {
            if index > 0 { bytes.append(0x2C) }
            pool.appendMember(to: &bytes)
        }
        bytes.append("}}\n")
        return bytes
    }
}

extension RelayStatus.Pool {
    /// Appends `"name":{"targets":[…]}`.
    fileprivate func appendMember(to bytes: inout [UInt8]) {
        JSONText.appendString(self.name, to: &bytes)
        bytes.append(#":{"targets":["#)
        for (index, target) in self.targets.enumerated() {
            if index > 0 { bytes.append(0x2C) }
            target.appendObject(to: &bytes)
        }
        bytes.append("]}")
    }
}

extension RelayStatus.Target {
    /// Appends `{"url":…}`.
    fileprivate func appendObject(to bytes: inout [UInt8]) {
        bytes.append(#"{"url":"#)
        JSONText.appendString(self.url, to: &bytes)
        bytes.append(#","health":"#)
        JSONText.appendString(self.health, to: &bytes)
        let numbers: [(StaticString, UInt64)] = [
            (#","requests":"#, self.requests), (#","failures":"#, self.failures),
            (#","requests_under_way":"#, UInt64(clamping: self.underWay)),
            (#","connections":"#, UInt64(clamping: self.connections)),
        ]
        for (key, number) in numbers {
            bytes.append(key)
            bytes.append(decimal: number)
        }
        bytes.append("}")
    }
}
