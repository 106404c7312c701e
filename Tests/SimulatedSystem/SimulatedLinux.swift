import Glibc
package import RelayEngine

/// A Linux in virtual time for everything that calls the system through the seam.
///
/// Everything that chance decides follows from the seed, and time passes only when the `Simulation`
/// moves it, so that a seed does the same every time. What each part does differently from Linux stands
/// above it: `SimulatedEpoll`, `Network`, `TCPConnection`, `UnixConnection`, `SimulatedSocket`. Here:
/// - `epollWait` never waits, whatever it is asked for: it reports what is true and returns;
/// - there are no threads: `startThread` is refused (`EPERM`), jobs of worker pools run at a later
///   virtual time, one at a time and the oldest first, on the thread that drives the simulation;
/// - a descriptor is the only one of its file (nothing duplicates them).
///
/// `@unchecked Sendable`: used on one thread, that of its test, as the loops and jobs on it are.
package final class SimulatedLinux: SystemCalls, @unchecked Sendable {
    /// What happened so far.
    package let trace: Trace
    /// What names mean.
    package var names = NameTable()
    /// How the machine behaves; may be changed at any time.
    package var conditions: MachineConditions
    /// Bytes of memory that the process is said to use; nil: it cannot be told.
    package var memoryUsed: Int?
    /// How often unused memory was given back.
    package private(set) var memoryReturns = 0
    let network: Network
    let timeline = Timeline()
    /// The epoll that was last waited on, by which the simulation learns whose it is.
    var epollLastWaitedOn: SimulatedEpoll?
    /// Has another loop do something while one is inside of a call.
    var overlap: () -> Void = {}
    private var descriptors = DescriptorTable()
    private var wallClockOffset: Int64 = 1_700_000_000_000_000_000
    private var jobDelays: [String: Duration] = [:]
    private var signalDescriptors: [SignalDescriptor] = []
    private var generator: SeededGenerator
    private var secrets: SeededGenerator

    /// A machine, alone in its network, whose chances follow from `seed`.
    package init(seed: UInt64, conditions: MachineConditions = .calm, network: Conditions = .calm) {
        var seeds = SeededGenerator(seed: seed)
        self.trace = Trace(capacity: 4000)
        self.conditions = conditions
        self.generator = seeds.fork()
        self.secrets = seeds.fork()
        self.network = Network(
            timeline: self.timeline,
            trace: self.trace,
            conditions: network,
            generator: seeds.fork()
        )
        super.init()
        for _ in 0..<conditions.wallClockJumps { self.scheduleWallClockJump() }
    }

    /// Ends everything: what is on its way never happens, and nothing is remembered.
    func clear() {
        self.overlap = {}
        self.timeline.clear()
        self.network.clear()
        self.trace.clear()
    }

    // MARK: Sockets

    package override func socket(_ family: SocketFamily) -> SystemResult {
        self.open(self.network.makeSocket(family))
    }

    package override func bind(
        _ descriptor: Descriptor,
        to address: SocketAddress
    ) -> SystemResult {
        self.withSocket(descriptor) { self.network.bind($0, to: address) }
    }

    package override func listen(_ descriptor: Descriptor, backlog: Int32) -> SystemResult {
        self.withSocket(descriptor) { self.network.listen($0, backlog: backlog) }
    }

    package override func accept(
        _ descriptor: Descriptor
    ) -> (result: SystemResult, peer: SocketAddress) {
        let nobody = SocketAddress.unix(path: "")
        guard let socket = self.descriptors[descriptor] as? SimulatedSocket,
            case .listening(let queue) = socket.role
        else { return (SystemResult(failure: .invalidArgument), nobody) }
        // Linux takes the descriptor before it looks at the queue: EMFILE even if that is empty.
        guard self.descriptors.hasRoom(limit: self.conditions.descriptorsMax) else {
            return (SystemResult(failure: .tooManyFiles), nobody)
        }
        guard let accepted = queue.takeFirst() else {
            return (SystemResult(failure: .tryAgain), nobody)
        }
        let result = self.open(accepted)
        self.note("fd \(descriptor): accept gives fd \(result.descriptor) \(accepted.label)")
        return (result, accepted.remote ?? nobody)
    }

    package override func connect(
        _ descriptor: Descriptor,
        to address: SocketAddress
    ) -> SystemResult {
        let result = self.withSocket(descriptor) { self.network.connect($0, to: address) }
        self.note("fd \(descriptor): connect \(SocketText.of(address))", result)
        return result
    }

    package override func localAddress(_ descriptor: Descriptor) -> SocketAddress? {
        guard let socket = self.descriptors[descriptor] as? SimulatedSocket else { return nil }
        if let local = socket.local { return local }
        switch socket.family {
        case .v4: return .v4(0, port: 0)
        case .v6: return .v6(high: 0, low: 0, port: 0, zone: 0)
        case .unix: return .unix(path: "")
        }
    }

    package override func receive(
        _ descriptor: Descriptor,
        into buffer: inout MutableSpan<UInt8>
    ) -> SystemResult {
        if self.generator.chance(self.conditions.overlapChance) { self.overlap() }
        guard let socket = self.descriptors[descriptor] as? SimulatedSocket else {
            return SystemResult(failure: .badDescriptor)
        }
        let result: SystemResult
        switch socket.receive(buffer.count) {
        case .success(let bytes):
            let span = bytes.span
            var index = 0
            while index < span.count {
                buffer[index] = span[index]
                index += 1
            }
            result = SystemResult(bytes.count)
        case .failure(let error): result = SystemResult(failure: error)
        }
        self.note("fd \(descriptor): recv \(buffer.count)", result)
        return result
    }

    package override func send(_ descriptor: Descriptor, _ bytes: Span<UInt8>) -> SystemResult {
        var copy: [UInt8] = []
        Self.append(bytes, to: &copy)
        return self.send(descriptor, copy[...])
    }

    package override func send(
        _ descriptor: Descriptor,
        gathering parts: Span<OutputPart>
    ) -> SystemResult {
        var copy: [UInt8] = []
        for index in parts.indices {
            parts[index].withBytes { bytes in Self.append(bytes, to: &copy) }
        }
        return self.send(descriptor, copy[...])
    }

    /// A plain loop: tests are built without optimisation, where an iterator costs a call a byte.
    private static func append(_ bytes: Span<UInt8>, to copy: inout [UInt8]) {
        copy.reserveCapacity(copy.count + bytes.count)
        var index = 0
        while index < bytes.count {
            copy.append(bytes[index])
            index += 1
        }
    }

    private func send(_ descriptor: Descriptor, _ bytes: ArraySlice<UInt8>) -> SystemResult {
        let result = self.withSocket(descriptor) { $0.send(bytes) }
        self.note("fd \(descriptor): send \(bytes.count)", result)
        return result
    }

    package override func shutdownOutput(_ descriptor: Descriptor) -> SystemResult {
        let result = self.withSocket(descriptor) { $0.shutdownOutput() }
        self.note("fd \(descriptor): shutdown", result)
        return result
    }

    package override func close(_ descriptor: Descriptor) -> SystemResult {
        guard let file = self.descriptors.remove(descriptor) else {
            return SystemResult(failure: .badDescriptor)
        }
        self.note("fd \(descriptor): close \(file.label)")
        for watch in file.watches { _ = watch.epoll.remove(file) }
        self.signalDescriptors.removeAll { $0 === file }
        file.lastDescriptorClosed()
        return .success
    }

    package override func setOption(
        _ option: SocketOption,
        of descriptor: Descriptor,
        to value: Int32
    ) -> SystemResult {
        self.withSocket(descriptor) { socket in
            switch option {
            case .sendBufferSize: socket.sendBufferSize = max(Int(value), 1)
            case .receiveBufferSize: socket.receiveBufferSize = max(Int(value), 1)
            default: socket.setOption(option, to: value)
            }
            return .success
        }
    }

    package override func takeSocketError(_ descriptor: Descriptor) -> SystemResult {
        self.withSocket(descriptor) { SystemResult(Int($0.takeError()?.code ?? 0)) }
    }

    package override func bytesUnacknowledged(_ descriptor: Descriptor) -> SystemResult {
        let result = self.withSocket(descriptor) { $0.bytesUnacknowledged }
        self.note("fd \(descriptor): SIOCOUTQ", result)
        return result
    }

    // MARK: Unix socket files

    package override func removeFile(_ path: String) -> SystemResult {
        self.network.files.remove(path)
    }

    package override func setMode(_ mode: UInt32, ofFile path: String) -> SystemResult {
        self.network.files.setMode(mode, of: path)
    }

    package override func isSocketFile(_ path: String) -> SystemResult {
        guard let isSocket = self.network.files.isSocket(path) else {
            return SystemResult(failure: .noSuchFile)
        }
        return SystemResult(isSocket ? 1 : 0)
    }

    // MARK: Events

    package override func createEpoll() -> SystemResult { self.open(SimulatedEpoll()) }

    package override func epollAdd(
        _ epoll: Descriptor,
        _ descriptor: Descriptor,
        _ events: EpollEvents,
        token: UInt64
    ) -> SystemResult {
        guard let file = self.descriptors[descriptor], let instance = self.descriptors[epoll] else {
            return SystemResult(failure: .badDescriptor)
        }
        guard let instance = instance as? SimulatedEpoll, instance !== file else {
            return SystemResult(failure: .invalidArgument)
        }
        return instance.add(file, events, token: token)
            ? .success : SystemResult(failure: SystemError(code: EEXIST))
    }

    package override func epollRemove(
        _ epoll: Descriptor,
        _ descriptor: Descriptor
    )
        -> SystemResult
    {
        guard let file = self.descriptors[descriptor], let instance = self.descriptors[epoll] else {
            return SystemResult(failure: .badDescriptor)
        }
        guard let instance = instance as? SimulatedEpoll else {
            return SystemResult(failure: .invalidArgument)
        }
        return instance.remove(file) ? .success : SystemResult(failure: .noSuchFile)
    }

    package override func epollWait(
        _ epoll: Descriptor,
        into events: inout MutableSpan<EpollEvent>,
        milliseconds: Int32
    ) -> SystemResult {
        guard let instance = self.descriptors[epoll] as? SimulatedEpoll, events.count > 0 else {
            return SystemResult(failure: .invalidArgument)
        }
        self.epollLastWaitedOn = instance
        let reported = instance.wait(
            limit: events.count,
            self.conditions,
            using: &self.generator
        )
        for (index, event) in reported.enumerated() {
            events[index] = event
            let bits = String(event.events.rawValue, radix: 16)
            self.note("epoll \(epoll): token \(String(event.token, radix: 16)) has \(bits)")
        }
        return SystemResult(reported.count)
    }

    package override func createEventDescriptor() -> SystemResult { self.open(EventDescriptor()) }

    package override func signalEvent(_ descriptor: Descriptor) -> SystemResult {
        guard let event = self.descriptors[descriptor] as? EventDescriptor else {
            return SystemResult(failure: .badDescriptor)
        }
        event.signal()
        return .success
    }

    package override func createSignalDescriptor(_ signals: [Int32]) -> SystemResult {
        let file = SignalDescriptor(signals: signals)
        let result = self.open(file)
        if result.isSuccess { self.signalDescriptors.append(file) }
        return result
    }

    package override func readSignal(_ descriptor: Descriptor) -> SystemResult {
        guard let file = self.descriptors[descriptor] as? SignalDescriptor else {
            return SystemResult(failure: .badDescriptor)
        }
        return file.take().map { SystemResult(Int($0)) } ?? SystemResult(failure: .tryAgain)
    }

    /// Sends the process `signal`; one that nobody listens for changes nothing.
    package func raise(_ signal: Int32) {
        self.note("signal \(signal)")
        for file in self.signalDescriptors { file.raise(signal) }
    }

    // MARK: Clocks and chance

    package override func monotonicTime() -> MonotonicTime { self.timeline.now }

    package override func wallTime() -> WallTime {
        WallTime(nanoseconds: self.timeline.now.nanoseconds + self.wallClockOffset)
    }

    /// Puts the wall clock forward, or back if `duration` is negative.
    package func jumpWallClock(by duration: Duration) {
        self.note("the wall clock jumps by \(duration)")
        self.wallClockOffset += duration.nanoseconds
    }

    private func scheduleWallClockJump() {
        let delay = self.generator.duration(in: .zero...(.seconds(3600)))
        let jump = self.generator.duration(in: .seconds(-3600)...(.seconds(3600)))
        self.timeline.schedule(after: delay, .background) { self.jumpWallClock(by: jump) }
    }

    package override func fillWithRandomBytes(_ buffer: inout MutableSpan<UInt8>) {
        for index in buffer.indices {
            buffer[index] = UInt8(truncatingIfNeeded: self.secrets.next())
        }
    }

    // MARK: What blocks

    package override func memoryBytesUsed() -> Int? { self.memoryUsed }

    package override func returnUnusedMemory() { self.memoryReturns += 1 }

    package override func lookUp(_ host: String) -> NameLookup {
        self.note("looks up \(host)")
        return self.names.lookUp(host)
    }

    package override func startThread(
        named name: String,
        _ body: @escaping @Sendable () -> Void
    ) -> SystemResult {
        SystemResult(failure: SystemError(code: EPERM))
    }

    package override func startWorkers(_ pool: WorkerPool) {}

    package override func jobAdded(to pool: WorkerPool) {
        let delay =
            self.jobDelays[pool.name] ?? self.generator.duration(in: self.conditions.jobDelay)
        self.timeline.schedule(after: delay) {
            self.note("pool \(pool.name): a job runs")
            _ = pool.runNext()
        }
    }

    /// Has jobs of the pools named `pool` take `delay` from now on; nil: as long as chance says.
    package func delayJobs(of pool: String, by delay: Duration?) {
        self.jobDelays[pool] = delay
    }

    // MARK: What a test may want to know

    /// The mode of the unix socket's file at `path`; nil if there is none.
    package func mode(ofFile path: String) -> UInt32? { self.network.files.mode(of: path) }

    /// Puts a file that is no socket at `path`.
    package func addOrdinaryFile(_ path: String) { self.network.files.addOrdinaryFile(path) }

    /// The descriptors that the process has open; for tests that look for leaks.
    package var openDescriptors: [Descriptor] { self.descriptors.open }

    private func open(_ file: SimulatedFile) -> SystemResult {
        let limit = self.conditions.descriptorsMax
        guard let descriptor = self.descriptors.add(file, limit: limit) else {
            return SystemResult(failure: .tooManyFiles)
        }
        return SystemResult(Int(descriptor))
    }

    private func withSocket(
        _ descriptor: Descriptor,
        _ body: (SimulatedSocket) -> SystemResult
    ) -> SystemResult {
        guard let socket = self.descriptors[descriptor] as? SimulatedSocket else {
            return SystemResult(failure: .badDescriptor)
        }
        return body(socket)
    }

    private func note(_ line: String, _ result: SystemResult? = nil) {
        let outcome = result.map { $0.error.map { " error \($0.code)" } ?? " = \($0.value)" } ?? ""
        self.trace.add(line + outcome, at: self.timeline.now)
    }
}
