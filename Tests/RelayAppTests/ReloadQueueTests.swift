import RelayAdmin
import Testing

@testable import RelayApp

struct ReloadQueueTests {
    private let results = Results()

    private func completion(_ generation: Int) -> ReloadQueue.Completion {
        { [results] _ in results.append(.success(generation: generation)) }
    }

    /// Whom the end of a reload answers to, by the number given to `completion`.
    private func answered(_ completions: [ReloadQueue.Completion]) -> [ReloadResult] {
        let before = self.results.all.count
        for completion in completions { completion(.failure([])) }
        return Array(self.results.all.dropFirst(before))
    }

    @Test func `begins the first reload at once`() {
        var queue = ReloadQueue()
        #expect(!queue.isUnderWay)
        let begins = queue.asked(self.completion(1))
        #expect(begins)
        #expect(queue.isUnderWay)
        let completions = queue.ended()
        #expect(self.answered(completions) == [.success(generation: 1)])
        #expect(!queue.isUnderWay)
    }

    @Test func `makes what is asked meanwhile one more reload`() {
        var queue = ReloadQueue()
        _ = queue.asked(self.completion(1))
        let begin = [queue.asked(self.completion(2)), queue.asked(self.completion(3))]
        #expect(begin == [false, false])
        let first = queue.ended()
        #expect(self.answered(first) == [.success(generation: 1)])
        // The file may have changed after the first one had read it.
        #expect(queue.isUnderWay)
        let late = queue.asked(self.completion(4))
        #expect(!late)
        let second = queue.ended()
        #expect(self.answered(second) == [.success(generation: 2), .success(generation: 3)])
        let third = queue.ended()
        #expect(self.answered(third) == [.success(generation: 4)])
        #expect(!queue.isUnderWay)
    }
}
