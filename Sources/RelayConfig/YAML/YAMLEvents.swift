import CYaml

/// A place as libyaml counts: lines and code points, both from 0.
struct YAMLMark: Sendable, Equatable {
    var line: Int
    var column: Int
}

/// What libyaml meets on its way through a document.
struct YAMLEvent {
    /// The kinds of events.
    enum Kind {
        case documentStart
        case documentEnd
        case alias(String)
        case scalar(String, isPlain: Bool)
        case sequenceStart(isFlow: Bool)
        case sequenceEnd
        case mappingStart(isFlow: Bool)
        case mappingEnd
    }

    var kind: Kind
    var anchor: String?
    var tag: String?
    var start: YAMLMark
    var end: YAMLMark
}

/// Why a text is not YAML, in libyaml's words.
struct YAMLProblem: Error {
    /// What is wrong: `did not find expected key`.
    var problem: String
    /// Where.
    var mark: YAMLMark
    /// Where what it was reading at that time begins.
    var contextMark: YAMLMark
}

/// Feeds the events of a text to `take`, until the end or until `take` returns false.
///
/// `bytes` must be UTF-8 that ``findForbiddenCharacter(in:)`` has nothing against. This is the only
/// place where libyaml is called.
func readYAMLEvents(_ bytes: [UInt8], _ take: (YAMLEvent) -> Bool) throws(YAMLProblem) {
    // The parser keeps pointers into itself and into the input, so neither may move.
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { unsafe parser.deallocate() }
    let input = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
    defer { unsafe input.deallocate() }
    _ = unsafe input.initialize(from: bytes)

    guard unsafe yaml_parser_initialize(parser) == 1 else {
        let start = YAMLMark(line: 0, column: 0)
        throw YAMLProblem(problem: "out of memory", mark: start, contextMark: start)
    }
    defer { unsafe yaml_parser_delete(parser) }
    unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    unsafe yaml_parser_set_input_string(parser, input.baseAddress, input.count)

    while true {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else {
            throw unsafe YAMLProblem(parser.pointee)
        }
        defer { unsafe yaml_event_delete(&event) }
        if unsafe event.type == YAML_STREAM_END_EVENT { return }
        if let event = unsafe YAMLEvent(event), !take(event) { return }
    }
}

/// The first character of a text that YAML allows nowhere (YAML 1.1, 5.1), or a byte order mark.
func findForbiddenCharacter(in text: String) -> (character: Unicode.Scalar, mark: YAMLMark)? {
    var mark = YAMLMark(line: 0, column: 0)
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x0A:
            mark = YAMLMark(line: mark.line + 1, column: 0)
        case 0x09, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD,
            0x10000...:
            mark.column += 1
        default:
            return (scalar, mark)
        }
    }
    return nil
}

extension YAMLMark {
    /// Takes libyaml's, which fit: a file is at most some megabytes long.
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: Int(mark.line), column: Int(mark.column))
    }
}

extension YAMLProblem {
    fileprivate init(_ parser: yaml_parser_t) {
        let problem = unsafe parser.problem.map { unsafe String(cString: $0) }
        let hasContext = unsafe parser.context != nil
        self.init(
            problem: problem ?? "not readable",
            mark: unsafe YAMLMark(parser.problem_mark),
            contextMark: unsafe YAMLMark(hasContext ? parser.context_mark : parser.problem_mark)
        )
    }
}

extension YAMLEvent {
    /// Copies an event; nil for those of the stream, which say nothing.
    fileprivate init?(_ event: yaml_event_t) {
        self.start = unsafe YAMLMark(event.start_mark)
        self.end = unsafe YAMLMark(event.end_mark)
        switch unsafe event.type {
        case YAML_DOCUMENT_START_EVENT:
            self.kind = .documentStart
        case YAML_DOCUMENT_END_EVENT:
            self.kind = .documentEnd
        case YAML_ALIAS_EVENT:
            self.kind = .alias(unsafe text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            self.kind = .scalar(
                unsafe String(decoding: bytes, as: UTF8.self),
                isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
            )
            self.anchor = unsafe text(scalar.anchor)
            self.tag = unsafe text(scalar.tag)
        case YAML_SEQUENCE_START_EVENT:
            let sequence = unsafe event.data.sequence_start
            self.kind = .sequenceStart(isFlow: unsafe sequence.style == YAML_FLOW_SEQUENCE_STYLE)
            self.anchor = unsafe text(sequence.anchor)
            self.tag = unsafe text(sequence.tag)
        case YAML_SEQUENCE_END_EVENT:
            self.kind = .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            let mapping = unsafe event.data.mapping_start
            self.kind = .mappingStart(isFlow: unsafe mapping.style == YAML_FLOW_MAPPING_STYLE)
            self.anchor = unsafe text(mapping.anchor)
            self.tag = unsafe text(mapping.tag)
        case YAML_MAPPING_END_EVENT:
            self.kind = .mappingEnd
        default:
            return nil
        }
    }
}

/// A C string of libyaml's, which is UTF-8 and ends with a zero; nil for no string.
private func text(_ string: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    guard let string = unsafe string else { return nil }
    return unsafe String(cString: string)
}
