import FoundationEssentials

/// Plans and facts as JSON text with sorted keys: equal values are equal text, so text can be compared.
enum PlanText {
    static func encode(_ value: some Encodable) throws(StoreError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return String(decoding: try encoder.encode(value), as: UTF8.self) } catch {
            throw StoreError(.other, "cannot write \(type(of: value)) as JSON: \(error)")
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws(StoreError) -> Value {
        do { return try JSONDecoder().decode(type, from: Data(text.utf8)) } catch {
            throw StoreError(.corrupt, "unreadable \(type) in the job store: \(error)")
        }
    }
}
