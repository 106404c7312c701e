/// How the network between two ends behaves; chances are from 0 to 1.
package struct Conditions: Hashable, Sendable {
    /// How long a segment travels.
    package var latency: ClosedRange<Duration> = .microseconds(20)...(.microseconds(60))
    /// Bytes of a segment at most.
    package var segmentBytesMax = 65_536
    /// Whether segments have sizes from 1 byte up, instead of as much as fits.
    package var splitsSegments = false
    /// How often recv(2) gives fewer bytes than are there.
    package var shortReadChance = 0.0
    /// How often send(2) takes fewer bytes than there is room for.
    package var shortWriteChance = 0.0
    /// How often an acknowledgement waits as Linux's delayed ones do.
    package var delayedAcknowledgementChance = 0.0
    /// How long it waits then.
    package var acknowledgementDelay: Duration = .milliseconds(40)
    /// How often a segment, and all behind it, is held up.
    package var stallChance = 0.0
    /// For how long.
    package var stall: ClosedRange<Duration> = .milliseconds(200)...(.seconds(3))
    /// How often a reset overtakes the data before it, which is lost then.
    package var resetOvertakesChance = 0.0
    /// How often a segment makes something between the ends reset the connection for both.
    package var resetChance = 0.0
    /// How often a segment is the last one that gets through: both ends fall silent to each other.
    package var silenceChance = 0.0
    /// `SO_SNDBUF` of new sockets, bytes that may be written and not acknowledged.
    package var sendBufferSize = 212_992
    /// `SO_RCVBUF` of new sockets, bytes that may be received and not read.
    package var receiveBufferSize = 212_992

    /// A network where nothing goes wrong and nothing is split.
    package static let calm = Conditions()

    /// A network that is slow, splits and delays, but never breaks a connection, by chance.
    ///
    /// Every trait is there or not, so that a seed in which one is missing can show what the other
    /// hides (swarm testing).
    package static func uneven(using generator: inout SeededGenerator) -> Conditions {
        var conditions = Conditions()
        if generator.chance(0.5) {
            conditions.latency =
                .microseconds(
                    20
                )...generator.duration(
                    in: .microseconds(100)...(.milliseconds(80))
                )
        }
        conditions.splitsSegments = generator.chance(0.5)
        conditions.segmentBytesMax = generator.chance(0.5) ? 1448 : 65_536
        if generator.chance(0.5) { conditions.shortReadChance = 0.2 }
        if generator.chance(0.5) { conditions.shortWriteChance = 0.2 }
        if generator.chance(0.5) { conditions.delayedAcknowledgementChance = 0.3 }
        if generator.chance(0.3) { conditions.stallChance = 0.01 }
        if generator.chance(0.4) { conditions.sendBufferSize = 4096 + generator.size(upTo: 65_536) }
        if generator.chance(0.4) {
            conditions.receiveBufferSize = 2304 + generator.size(upTo: 65_536)
        }
        return conditions
    }

    /// The same, and connections are reset or fall silent now and then.
    package static func faulty(using generator: inout SeededGenerator) -> Conditions {
        var conditions = Conditions.uneven(using: &generator)
        if generator.chance(0.7) { conditions.resetChance = 0.01 }
        if generator.chance(0.3) { conditions.silenceChance = 0.002 }
        if generator.chance(0.5) { conditions.resetOvertakesChance = 0.5 }
        return conditions
    }
}

/// How the machine under test behaves.
package struct MachineConditions: Hashable, Sendable {
    /// How many descriptors the process may have (`RLIMIT_NOFILE`), from 0 up.
    package var descriptorsMax = 65_536
    /// How often epoll_wait(2) reports something that is not new or not true.
    package var spuriousEventChance = 0.0
    /// Whether epoll_wait(2) reports in an order by chance, instead of that of the events.
    package var shufflesEvents = true
    /// How long a job waits for a worker and runs.
    package var jobDelay: ClosedRange<Duration> = .microseconds(10)...(.milliseconds(2))
    /// What a turn of a loop takes.
    package var turnDuration: ClosedRange<Duration> = .microseconds(1)...(.microseconds(20))
    /// How often another loop has a turn while one reads from a socket, as loops on threads of their own have.
    package var overlapChance = 0.0
    /// How often in the first hour the wall clock jumps, by up to an hour forth or back.
    package var wallClockJumps = 0

    /// A machine with nothing unusual.
    package static let calm = MachineConditions()

    /// A machine with spurious events and slow workers, by chance.
    package static func uneven(using generator: inout SeededGenerator) -> MachineConditions {
        var conditions = MachineConditions()
        if generator.chance(0.5) { conditions.spuriousEventChance = 0.1 }
        if generator.chance(0.3) { conditions.jobDelay = .milliseconds(1)...(.milliseconds(500)) }
        if generator.chance(0.3) { conditions.wallClockJumps = 3 }
        return conditions
    }
}
