import CPCRE2

/// A regular expression of PCRE2 (pcre2pattern(3)), on bytes: valid, compiled, never changed.
///
/// Two are equal if they were written alike. `RegularExpressionSearch` searches.
///
/// `@unchecked Sendable`: the compiled code is not written to after `init` (pcre2api(3), MULTITHREADING).
@safe package final class RegularExpression: @unchecked Sendable {
    /// As it is written.
    package let text: String
    /// How many groups it captures.
    package let groupCount: Int
    fileprivate let code: OpaquePointer

    /// Why a text is no regular expression.
    package struct Fault: Error, Equatable {
        /// In PCRE2's words: `missing closing parenthesis`.
        package let problem: String
        /// Which character of the text it is about, from 1.
        package let position: Int
    }

    /// Compiles a text, to machine code where the system allows that.
    package init(_ text: String) throws(Fault) {
        let bytes = Array(text.utf8)
        var code: Int32 = 0
        var offset = 0
        let compiled = unsafe bytes.withUnsafeBufferPointer { pattern in
            // `$` is the end, not a line end before it, and bytes that are not UTF-8 are bytes: no pattern may
            // ask for anything else (PCRE2_NEVER_UTF).
            unsafe pcre2_compile_8(
                pattern.baseAddress,
                pattern.count,
                UInt32(PCRE2_DOLLAR_ENDONLY) | UInt32(PCRE2_NEVER_UTF),
                &code,
                &offset,
                nil
            )
        }
        guard let compiled = unsafe compiled else {
            throw Fault(problem: Self.sentence(of: code), position: min(offset, bytes.count) + 1)
        }
        // Where memory may not be made executable, the same code is interpreted.
        _ = unsafe pcre2_jit_compile_8(compiled, UInt32(PCRE2_JIT_COMPLETE))
        var groups: UInt32 = 0
        _ = unsafe pcre2_pattern_info_8(compiled, UInt32(PCRE2_INFO_CAPTURECOUNT), &groups)
        self.text = text
        self.groupCount = Int(groups)
        unsafe self.code = compiled
    }

    deinit {
        unsafe pcre2_code_free_8(self.code)
    }

    private static func sentence(of code: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let length = unsafe buffer.withUnsafeMutableBufferPointer {
            unsafe pcre2_get_error_message_8(code, $0.baseAddress, $0.count)
        }
        return String(decoding: buffer.prefix(max(Int(length), 0)), as: UTF8.self)
    }
}

extension RegularExpression: Equatable {
    /// Whether both are written alike.
    package static func == (left: RegularExpression, right: RegularExpression) -> Bool {
        left.text == right.text
    }
}

/// Searches texts for a regular expression; for one thread, because it owns what a search works with.
///
/// A search is bounded: one that backtracks more than `stepsMax` times has found nothing, whatever the text.
@safe package final class RegularExpressionSearch {
    /// What is searched for.
    package let expression: RegularExpression

    private let context: OpaquePointer?
    private let result: OpaquePointer?
    /// Where compiled code keeps what it may come back to; the 32 KiB that it takes without are too few for paths of
    /// some thousand bytes.
    private let stack: OpaquePointer?
    /// How many groups the last search has set, the whole match included.
    private var groupsSet = 0

    /// The most backtracking of a search, in PCRE2's count: some milliseconds.
    private static let stepsMax: UInt32 = 100_000
    /// The stack of compiled code, at first and at most; memory is taken when it is used.
    private static let stackBytes = (initial: 32 << 10, max: 1 << 20)
    /// The most memory that an interpreted search takes.
    private static let kibibytesMax: UInt32 = 1024

    /// Makes ready to search.
    package init(_ expression: RegularExpression) {
        self.expression = expression
        unsafe self.context = pcre2_match_context_create_8(nil)
        unsafe self.result = pcre2_match_data_create_from_pattern_8(expression.code, nil)
        unsafe self.stack = pcre2_jit_stack_create_8(
            Self.stackBytes.initial,
            Self.stackBytes.max,
            nil
        )
        if unsafe self.stack != nil {
            unsafe pcre2_jit_stack_assign_8(
                self.context,
                nil,
                UnsafeMutableRawPointer(self.stack)
            )
        }
        _ = unsafe pcre2_set_match_limit_8(self.context, Self.stepsMax)
        _ = unsafe pcre2_set_heap_limit_8(self.context, Self.kibibytesMax)
    }

    deinit {
        unsafe pcre2_match_data_free_8(self.result)
        unsafe pcre2_match_context_free_8(self.context)
        unsafe pcre2_jit_stack_free_8(self.stack)
    }

    /// Whether the expression is found anywhere in `text`; the groups of the first place are then known.
    package func find(in text: Span<UInt8>) -> Bool {
        self.groupsSet = 0
        // Without memory for a search nothing is found.
        guard unsafe self.result != nil, unsafe self.context != nil else { return false }
        let found = unsafe text.withUnsafeBufferPointer { bytes in
            unsafe pcre2_match_8(
                self.expression.code,
                bytes.baseAddress,
                bytes.count,
                0,
                0,
                self.result,
                self.context
            )
        }
        guard found > 0 else { return false }
        self.groupsSet = Int(found)
        return true
    }

    /// Where a group of the last search stands in its text; 0 is all that was found.
    ///
    /// Nil if the group took no part.
    package func range(ofGroup group: Int) -> Range<Int>? {
        guard group >= 0, group < self.groupsSet, let result = unsafe self.result,
            let offsets = unsafe pcre2_get_ovector_pointer_8(result)
        else { return nil }
        // PCRE2_UNSET for a group that took no part; `\K` in a lookaround may put a start behind its end.
        let (start, end) = unsafe (offsets[2 * group], offsets[2 * group + 1])
        guard start != Int.max, start >= 0, start <= end else { return nil }
        return start..<end
    }
}

@available(*, unavailable) extension RegularExpressionSearch: Sendable {}
