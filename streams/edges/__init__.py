"""Where the data path touches the world: files, sockets, Kafka, ClickHouse, processes."""
