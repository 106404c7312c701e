import CRelayPlugin
import Testing

/// The layout of version 1 of relay_plugin.h: what is in it never moves, and structs only grow at their end.
struct PluginHeaderTests {
    private static let word = MemoryLayout<UInt>.size

    @Test func `the version is the first`() {
        #expect(RELAY_ABI_MAJOR == 1)
        #expect(RELAY_ABI_MINOR == 0)
        #expect(RELAY_MAGIC == 0x524C_5950)
        #expect(RELAY_PLUGIN_ENTRY == "relay_plugin_entry")
    }

    @Test func `the numbers of the enums stay`() {
        #expect(
            [RELAY_OK, RELAY_NONE, RELAY_STALE, RELAY_REFUSED, RELAY_NOT_NOW] == [0, 1, 2, 3, 4]
        )
        #expect([RELAY_CONTINUE, RELAY_RESPOND, RELAY_PAUSE, RELAY_FAIL] == [0, 1, 2, 3])
        #expect(
            [
                RELAY_LOG_DEBUG, RELAY_LOG_INFO, RELAY_LOG_NOTICE, RELAY_LOG_WARNING,
                RELAY_LOG_ERROR,
            ] == [0, 1, 2, 3, 4]
        )
        #expect(
            [
                RELAY_METHOD, RELAY_PATH, RELAY_QUERY, RELAY_HOST, RELAY_CLIENT_ADDRESS,
                RELAY_PEER_ADDRESS, RELAY_REQUEST_ID, RELAY_LISTENER,
            ] == [0, 1, 2, 3, 4, 5, 6, 7]
        )
        #expect(
            [
                RELAY_KIND_NULL, RELAY_KIND_BOOLEAN, RELAY_KIND_NUMBER, RELAY_KIND_TEXT,
                RELAY_KIND_EMPTY,
            ] == [0, 1, 2, 3, 4]
        )
        #expect(RELAY_PLUGIN_GUARDS == 1)
    }

    @Test func `values have their size and order`() {
        unsafe self.expect(
            relay_bytes.self,
            16,
            [\.data, \.size],
            [0, 8]
        )
        unsafe self.expect(
            relay_setting.self,
            40,
            [\.path, \.text, \.kind, \.reserved],
            [0, 16, 32, 36]
        )
        unsafe self.expect(relay_field.self, 32, [\.name, \.value], [0, 16])
    }

    @Test func `the table of the host has its size and order`() {
        unsafe self.expect(
            relay_host.self,
            120,
            [
                \.magic, \.abi_major, \.abi_minor, \.size, \.reserved, \.log, \.config_error,
                \.clock,
                \.wall_clock, \.attribute, \.header_get, \.header_at, \.header_set, \.header_add,
                \.header_remove, \.respond, \.pause, \.resume,
            ],
            [0, 4, 6, 8, 12, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112]
        )
    }

    @Test func `the table of a plugin has its size and order`() {
        unsafe self.expect(
            relay_plugin.self,
            112,
            [
                \.magic, \.abi_major, \.abi_minor, \.size, \.flags, \.name, \.version, \.configure,
                \.retire, \.worker_start, \.worker_stop, \.request_head, \.response_head, \.resumed,
                \.exchange_end,
            ],
            [0, 4, 6, 8, 12, 16, 32, 48, 56, 64, 72, 80, 88, 96, 104]
        )
    }

    @Test func `the arguments of the life of an instance have their size and order`() {
        unsafe self.expect(
            relay_configure_call.self,
            72,
            [
                \.size, \.reserved, \.instance, \.name, \.config, \.settings, \.setting_count,
                \.state,
            ],
            [0, 4, 8, 16, 32, 48, 56, 64]
        )
        unsafe self.expect(relay_retire_call.self, 16, [\.size, \.reserved, \.state], [0, 4, 8])
        unsafe self.expect(
            relay_worker_start_call.self,
            24,
            [\.size, \.loop, \.state, \.worker],
            [0, 4, 8, 16]
        )
        unsafe self.expect(
            relay_worker_stop_call.self,
            24,
            [\.size, \.loop, \.state, \.worker],
            [0, 4, 8, 16]
        )
    }

    @Test func `the arguments of hooks have their size and order`() {
        unsafe self.expect(
            relay_exchange_call.self,
            40,
            [\.size, \.reserved, \.exchange, \.state, \.worker, \.own],
            [0, 4, 8, 16, 24, 32]
        )
        unsafe self.expect(
            relay_request_head_call.self,
            48,
            [\.call, \.has_body, \.reserved],
            [0, 40, 44]
        )
        unsafe self.expect(
            relay_response_head_call.self,
            48,
            [\.call, \.status, \.is_own],
            [0, 40, 44]
        )
        unsafe self.expect(
            relay_resumed_call.self,
            56,
            [\.call, \.data, \.status, \.reserved],
            [0, 40, 48, 52]
        )
        unsafe self.expect(
            relay_exchange_end_call.self,
            80,
            [
                \.call, \.status, \.has_data, \.data, \.duration, \.request_bytes, \.response_bytes,
            ],
            [0, 40, 44, 48, 56, 64, 72]
        )
    }

    private func expect<Value>(
        _ type: Value.Type,
        _ size: Int,
        _ fields: [PartialKeyPath<Value>],
        _ offsets: [Int?]
    ) {
        #expect(MemoryLayout<Value>.size == size, "\(type)")
        #expect(fields.map { MemoryLayout<Value>.offset(of: $0) } == offsets, "\(type)")
    }
}
