import Synchronization

/// A table of numbers with a row per event loop, each on cache lines of its own, and one row for all
/// other threads.
///
/// Sums wrap around, so that rows may hold parts of a sum that only together are not negative.
///
/// `@unchecked Sendable`: the cells are atomics and the pointer never changes. `@safe`: the memory is
/// private, every index is checked, and it lives as long as the object.
@safe
final class LoopCells: @unchecked Sendable {
    private static let cellsPerLine = 8

    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    private let rows: Int
    private let width: Int
    private let stride: Int

    /// A table of `loops` + 1 rows of `width` numbers, all 0.
    init(loops: Int, width: Int) {
        precondition(loops >= 0 && width > 0, "a table of counters has loops and columns")
        self.rows = loops + 1
        self.width = width
        self.stride =
            (width + LoopCells.cellsPerLine - 1) / LoopCells.cellsPerLine * LoopCells.cellsPerLine
        // One line more, so that no row shares one with what lies behind.
        let count = (loops + 2) * self.stride
        unsafe self.cells = .allocate(capacity: count)
        for index in 0..<count {
            unsafe (self.cells + index).initialize(to: Atomic(0))
        }
    }

    deinit {
        // Atomics of integers need no deinitialisation.
        unsafe self.cells.deallocate()
    }

    /// Adds from the only thread that writes this row.
    func add(_ amount: UInt64, row: Int, column: Int) {
        let index = self.index(row, column)
        let old = unsafe self.cells[index].load(ordering: .relaxed)
        unsafe self.cells[index].store(old &+ amount, ordering: .relaxed)
    }

    /// Adds from any thread, to the last row.
    func addFromAnyThread(_ amount: UInt64, column: Int) {
        let index = self.index(self.rows - 1, column)
        unsafe self.cells[index].wrappingAdd(amount, ordering: .relaxed)
    }

    /// The sum of a column.
    func sum(column: Int) -> UInt64 {
        var sum: UInt64 = 0
        for row in 0..<self.rows {
            sum &+= unsafe self.cells[self.index(row, column)].load(ordering: .relaxed)
        }
        return sum
    }

    private func index(_ row: Int, _ column: Int) -> Int {
        precondition(row >= 0 && row < self.rows && column >= 0 && column < self.width)
        return row * self.stride + column
    }
}
