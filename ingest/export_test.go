package ingest

// Buffered returns how many records wait for a broker.
func (i *Inbox) Buffered() int64 { return i.client.BufferedProduceRecords() }
