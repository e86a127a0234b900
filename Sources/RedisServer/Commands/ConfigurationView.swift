import RESP

/// What CONFIG GET shows: the Redis settings that clients ask about, with what is true here.
enum ConfigurationView {
    static func settings(limits: RedisServerLimits) -> [(name: String, value: String)] {
        [
            // Every acknowledged write is in the log of a majority, synced: Redis' words for it.
            ("appendfsync", "always"),
            ("appendonly", "yes"),
            ("cluster-enabled", "no"),
            ("databases", "1"),
            ("maxclients", String(limits.maxClients)),
            ("maxmemory", "0"),
            ("maxmemory-policy", "noeviction"),
            ("proto-max-bulk-len", String(limits.request.maxBulkBytes)),
            ("save", ""),
            ("timeout", "0"),
        ]
    }
}
