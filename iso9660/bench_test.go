package iso9660_test

import (
	"fmt"
	"testing"
	"time"

	"burnfs/iso9660"
)

// recordsPerBlock are as many as fit into a block with the System Use area of a usual file.
const recordsPerBlock = 12

// benchRecords are the records of one block of a directory.
func benchRecords() []iso9660.Record {
	var records []iso9660.Record
	when := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range uint32(recordsPerBlock) {
		records = append(records, iso9660.Record{
			Location: 1000 + i, DataLength: 12345, Time: when,
			Identifier: fmt.Sprintf("FILE%04d.TXT;1", i), SystemUse: make([]byte, 110),
		})
	}
	return records
}

func BenchmarkAppendDirectoryRecord(b *testing.B) {
	records := benchRecords()
	block := make([]byte, 0, 2*iso9660.BlockSize)
	b.ReportAllocs()
	for b.Loop() {
		block = block[:0]
		for _, r := range records {
			var err error
			if block, err = iso9660.AppendDirectoryRecord(block, r); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.SetBytes(int64(len(block)))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/recordsPerBlock, "ns/record")
}

func BenchmarkParseDirectoryRecord(b *testing.B) {
	var block []byte
	for _, r := range benchRecords() {
		var err error
		if block, err = iso9660.AppendDirectoryRecord(block, r); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(block)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for rest := block; len(rest) > 0; n++ {
			r, err := iso9660.ParseDirectoryRecord(rest)
			if err != nil {
				b.Fatal(err)
			}
			rest = rest[len(r):]
		}
		if n != recordsPerBlock {
			b.Fatalf("%d records", n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/recordsPerBlock, "ns/record")
}
