import CLinux
import Glibc
import Logging
import RelayConfig

/// Loads and configures a plugin in a process of its own, so that one that crashes or hangs there is a problem of the
/// configuration and not of relay.
///
/// The process is this program again, with `relay plugin try NAME`:
///
/// ```
///   descriptor 3   the library, in sealed memory
///   descriptor 4   the settings, in sealed memory (PluginTrialText)
///   output         the result (PluginTrialText)
/// ```
package struct PluginTrial: Sendable {
    /// The descriptors of the child.
    private static let libraryDescriptor: Int32 = 3
    private static let settingsDescriptor: Int32 = 4

    /// The program.
    private let program: String
    /// How long a plugin may take.
    private let patience: Duration

    /// A trial by the program at that path.
    package init(program: String, patience: Duration = .seconds(5)) {
        self.program = program
        self.patience = patience
    }

    // MARK: The parent

    /// Tries a plugin; says whether it is one that guards.
    func run(_ plugin: PluginConfiguration, _ image: PluginImage) throws(PluginFaults) -> Bool {
        let result: PluginTrialResult
        do throws(PluginFault) {
            result = try self.result(plugin, image)
        } catch {
            throw PluginFaults(faults: [error])
        }
        guard result.faults.isEmpty else { throw PluginFaults(faults: result.faults) }
        return result.isGuard
    }

    private func result(
        _ plugin: PluginConfiguration,
        _ image: PluginImage
    ) throws(PluginFault) -> PluginTrialResult {
        let text = PluginTrialText.encode(plugin.settings)
        let settings = unsafe text.withUnsafeBytes { buffer in
            unsafe relay_sealed_memory("relay-settings", buffer.baseAddress, buffer.count)
        }
        guard settings >= 0 else {
            throw PluginFault("cannot try '\(image.path)': \(SystemReason.current)")
        }
        defer { _ = close(settings) }
        guard let child = TrialProcess(self.program, plugin.name, image.descriptor, settings) else {
            throw PluginFault("cannot try '\(image.path)': \(SystemReason.current)")
        }
        let end = child.wait(self.patience)
        switch end {
        case .hung:
            let seconds = self.patience / .seconds(1)
            throw PluginFault(
                "'\(image.path)' was not configured within \(Int(seconds)) s; it hangs"
            )
        case .signal(let number):
            let name =
                unsafe strsignal(number).map { unsafe String(cString: $0) } ?? "signal \(number)"
            throw PluginFault("'\(image.path)' crashes while it is configured (\(name))")
        case .exit(let code):
            guard let result = PluginTrialText.result(child.output, path: image.path) else {
                throw PluginFault(
                    "'\(image.path)' ends its process while it is configured (exit \(code))"
                )
            }
            return result
        }
    }

    // MARK: The child

    /// Does what the parent wants, and gives the result: the bytes to write to standard output.
    package static func runInChild(name: String) -> [UInt8] {
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        // A crash is what is expected; nobody wants its memory.
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        let library = Self.contents(of: Self.libraryDescriptor)
        guard let settings = PluginTrialText.decode(Self.contents(of: Self.settingsDescriptor))
        else {
            return []
        }
        var plugin = PluginConfiguration(name: name, library: PluginTrialText.unknownPath)
        plugin.settings = settings
        let image = PluginImage(
            descriptor: Self.libraryDescriptor,
            bytes: library,
            path: PluginTrialText.unknownPath
        )
        var logger = Logger(label: "plugin") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        do throws(PluginFault) {
            let library = try PluginLibrary.of(image)
            do throws(PluginFaults) {
                _ = try PluginInstance(plugin, library, logger: logger)
                return PluginTrialText.encode(
                    PluginTrialResult(faults: [], isGuard: library.isGuard)
                )
            } catch {
                return PluginTrialText.encode(
                    PluginTrialResult(faults: error.faults, isGuard: library.isGuard)
                )
            }
        } catch {
            return PluginTrialText.encode(PluginTrialResult(faults: [error], isGuard: false))
        }
    }

    private static func contents(of descriptor: Int32) -> [UInt8] {
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        var offset = 0
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            }
            guard count > 0 else { return contents }
            contents += chunk[..<count]
            offset += count
        }
    }
}

/// What a trial has found.
struct PluginTrialResult: Equatable {
    let faults: [PluginFault]
    let isGuard: Bool
}

/// What parent and child of a trial tell each other: texts, each behind its length.
enum PluginTrialText {
    /// What the child calls the library's file, of which the parent knows the path.
    static let unknownPath = "\u{1}"

    /// The settings: the JSON, and path, kind and text of each value.
    static func encode(_ settings: PluginSettings) -> [UInt8] {
        var bytes: [UInt8] = []
        Self.append(settings.json, to: &bytes)
        for value in settings.values {
            Self.append(Array(value.path.utf8), to: &bytes)
            Self.append([UInt8(clamping: value.kind.rawValue)], to: &bytes)
            Self.append(Array(value.text.utf8), to: &bytes)
        }
        return bytes
    }

    /// The settings again; nil if it is something else.
    static func decode(_ bytes: [UInt8]) -> PluginSettings? {
        guard var texts = Self.texts(bytes), !texts.isEmpty else { return nil }
        let json = texts.removeFirst()
        guard texts.count % 3 == 0 else { return nil }
        var values: [PluginSettings.Value] = []
        for index in stride(from: 0, to: texts.count, by: 3) {
            guard let number = texts[index + 1].first,
                let kind = PluginSettings.Value.Kind(rawValue: UInt32(number))
            else { return nil }
            values.append(
                PluginSettings.Value(
                    path: String(decoding: texts[index], as: UTF8.self),
                    kind: kind,
                    text: String(decoding: texts[index + 2], as: UTF8.self)
                )
            )
        }
        return PluginSettings(json: json, values: values)
    }

    /// The result: the word `tried`, whether the plugin guards, and kind, path and message of each fault.
    static func encode(_ result: PluginTrialResult) -> [UInt8] {
        var bytes: [UInt8] = []
        Self.append(Array("tried".utf8), to: &bytes)
        Self.append([result.isGuard ? 1 : 0], to: &bytes)
        for fault in result.faults {
            let path: String? =
                switch fault.subject {
                case .library: nil
                case .setting(let path): path
                }
            Self.append([path == nil ? 0 : 1], to: &bytes)
            Self.append(Array((path ?? "").utf8), to: &bytes)
            Self.append(Array(fault.message.utf8), to: &bytes)
        }
        return bytes
    }

    /// The result again, of the file at `path`; nil if the child has not come to its end.
    static func result(_ bytes: [UInt8], path: String) -> PluginTrialResult? {
        guard var texts = Self.texts(bytes), texts.count >= 2, texts.count % 3 == 2,
            texts[0] == Array("tried".utf8)
        else { return nil }
        let isGuard = texts[1] == [1]
        texts.removeFirst(2)
        var faults: [PluginFault] = []
        for index in stride(from: 0, to: texts.count, by: 3) {
            let message = String(decoding: texts[index + 2], as: UTF8.self)
            let setting = String(decoding: texts[index + 1], as: UTF8.self)
            faults.append(
                texts[index] == [1]
                    ? PluginFault(settingAt: setting, message)
                    : PluginFault(message.replacing(Self.unknownPath, with: path))
            )
        }
        return PluginTrialResult(faults: faults, isGuard: isGuard)
    }

    private static func append(_ text: [UInt8], to bytes: inout [UInt8]) {
        let count = UInt32(clamping: text.count)
        for shift in [0, 8, 16, 24] as [UInt32] {
            bytes.append(UInt8(truncatingIfNeeded: count >> shift))
        }
        bytes += text
    }

    private static func texts(_ bytes: [UInt8]) -> [[UInt8]]? {
        var texts: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard rest.count >= 4 else { return nil }
            var count = 0
            for (index, byte) in rest.prefix(4).enumerated() { count |= Int(byte) << (8 * index) }
            rest = rest.dropFirst(4)
            guard rest.count >= count else { return nil }
            texts.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return texts
    }
}
