package emu_test

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
)

// BenchmarkWrite burns a BD-R in transfers of 64 KiB, as recorders do. The
// medium is in memory (/dev/shm) where there is such a place, so that the
// number is that of the drive and not of the disk.
func BenchmarkWrite(b *testing.B) {
	const blocks = 32
	d := benchDisc(b, emu.BDR)
	p := make([]byte, blocks*mmc.BlockSize)
	cmd := &mmc.Command{CDB: make([]byte, 10), Direction: mmc.ToDrive, Data: p}
	cmd.CDB[0] = byte(mmc.OpWrite10)
	binary.BigEndian.PutUint16(cmd.CDB[7:], blocks)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for lba := uint32(0); b.Loop(); lba += blocks {
		binary.BigEndian.PutUint32(cmd.CDB[2:], lba)
		if err := d.Execute(context.Background(), cmd); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead reads 64 KiB again and again.
func BenchmarkRead(b *testing.B) {
	const blocks = 32
	d := benchDisc(b, emu.BDRE)
	p := make([]byte, blocks*mmc.BlockSize)
	cmd := &mmc.Command{CDB: []byte{byte(mmc.OpRead10), 0, 0, 0, 0, 0, 0, 0, blocks, 0}, Direction: mmc.FromDrive, Data: p}
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Execute(context.Background(), cmd); err != nil {
			b.Fatal(err)
		}
	}
}

func benchDisc(b *testing.B, media emu.Media) *emu.Drive {
	b.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "emu")
	if err != nil {
		dir = b.TempDir()
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "disc")
	if err := emu.Create(path, media, emu.CreateOptions{}); err != nil {
		b.Fatal(err)
	}
	d, err := emu.Open(path, emu.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { d.Close() })
	if err := execute(d, "000000000000", mmc.NoData, nil); err == nil {
		b.Fatal("no unit attention")
	}
	return d
}
