import RelayEngine
import Testing

/// How much memory the process may have, by the files of proc(5) and cgroups(7).
struct MachineMemoryTests {
    private let machine = ["/proc/meminfo": "MemTotal:       16384 kB\nMemFree:  1 kB\n"]

    private func bytesMax(_ files: [String: String]) -> Int? {
        let all = self.machine.merging(files) { $1 }
        return MachineMemory.bytesMax { all[$0] }
    }

    @Test func `is what the machine has without a control group`() {
        #expect(self.bytesMax([:]) == 16 << 20)
        #expect(self.bytesMax(["/proc/self/cgroup": "0::/\n"]) == 16 << 20)
    }

    @Test func `is the least that a group of version 2 allows, up to the root`() {
        let files = [
            "/proc/self/cgroup": "0::/system.slice/relay.service\n",
            "/sys/fs/cgroup/system.slice/relay.service/memory.max": "max\n",
            "/sys/fs/cgroup/system.slice/memory.max": "4194304\n",
            "/sys/fs/cgroup/memory.max": "8388608\n",
        ]
        #expect(self.bytesMax(files) == 4 << 20)
    }

    @Test func `is the root's in a container that does not see its path`() {
        let files = [
            "/proc/self/cgroup": "0::/docker/abc\n", "/sys/fs/cgroup/memory.max": "8388608\n",
        ]
        #expect(self.bytesMax(files) == 8 << 20)
    }

    @Test func `is that of the memory controller of version 1`() {
        let files = [
            "/proc/self/cgroup": "9:cpu,cpuacct:/other\n5:memory:/relay\n0::/\n",
            "/sys/fs/cgroup/memory/relay/memory.limit_in_bytes": "2097152\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        ]
        #expect(self.bytesMax(files) == 2 << 20)
    }

    @Test func `is unknown if nobody tells`() {
        #expect(MachineMemory.bytesMax { _ in nil } == nil)
        #expect(MachineMemory.bytesMax { _ in "nonsense" } == nil)
        #expect(MachineMemory.bytesMax { _ in "MemTotal: 99999999999999999 kB" } == nil)
    }

    @Test func `is told by this machine, and so is what the process has`() throws {
        let available = try #require(MachineMemory.bytesMax())
        let used = try #require(LinuxSystemCalls().memoryBytesUsed())
        #expect(used > 1 << 20 && used < available)
    }
}
