package emu

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"burnfs/mmc"
)

// Bounds of one input, so that the fuzzer does not spend its time on copying.
const (
	maxFuzzData     = 64 * mmc.BlockSize // of one command
	maxFuzzCommands = 64
)

// FuzzDispatch sends any commands to any medium. Each ends with GOOD status or
// with sense data, transfers no more than the host has room for, and leaves the
// medium in a state that the state file could hold.
//
// The input is the kind of medium, and for CD whether a cue sheet was sent, then commands: the length of the CDB, the
// direction and the number of blocks of data in one byte each, and the CDB.
func FuzzDispatch(f *testing.F) {
	add := func(media byte, commands ...fuzzCommand) {
		in := []byte{media}
		for _, c := range commands {
			in = append(in, byte(len(c.cdb)), byte(c.dir), c.blocks)
			in = append(in, c.cdb...)
		}
		f.Add(in)
	}
	for media := range kinds {
		for i := range commands {
			c := make([]byte, len(commands[i].usage))
			c[0] = byte(commands[i].opcode)
			add(byte(media), fuzzCommand{c, mmc.NoData, 0}, fuzzCommand{c, mmc.FromDrive, 1}, fuzzCommand{c, mmc.ToDrive, 1})
		}
		add(byte(media),
			fuzzCommand{writeCDB(0, 32), mmc.ToDrive, 32}, fuzzCommand{writeCDB(32, 16), mmc.ToDrive, 16},
			fuzzCommand{syncCDB, mmc.NoData, 0}, fuzzCommand{closeCDB(closeFunctionTrack, 1), mmc.NoData, 0},
			fuzzCommand{closeCDB(closeFunctionSession, 0), mmc.NoData, 0}, fuzzCommand{closeCDB(closeFunctionFinal, 0), mmc.NoData, 0})
		add(byte(media),
			fuzzCommand{[]byte{0x53, 0, 0, 0, 0, 0, 0, 1, 0, 0}, mmc.NoData, 0},
			fuzzCommand{writeCDB(256, 32), mmc.ToDrive, 32},
			fuzzCommand{[]byte{0x1b, 0, 0, 0, 2, 0}, mmc.NoData, 0}, fuzzCommand{[]byte{0x1b, 0, 0, 0, 3, 0}, mmc.NoData, 0},
			fuzzCommand{closeCDB(closeFunctionTrack, 1), mmc.NoData, 0})
	}
	// A session at once, whole, and given up in the middle.
	for media, k := range kinds {
		if !k.profile.IsCD() {
			continue
		}
		var all []fuzzCommand
		for lba := -150; lba < 700; lba += 50 {
			all = append(all, fuzzCommand{writeCDB(uint32(int32(lba)), 50), mmc.ToDrive, 50})
		}
		add(byte(media+len(kinds)), all...)
		add(byte(media+len(kinds)), append(all[:6:6], fuzzCommand{syncCDB, mmc.NoData, 0}, fuzzCommand{closeCDB(closeFunctionTrack, 1), mmc.NoData, 0})...)
	}
	// A DVD-R written at once, and a DVD-RW that goes from one state to the other.
	for media, k := range kinds {
		switch k.media {
		case DVDR, DVDRW, DVDRDL:
			reserve := fuzzCommand{[]byte{0x53, 0, 0, 0, 0, 0, 0, 0, 64, 0}, mmc.NoData, 0}
			first, second := fuzzCommand{writeCDB(0, 32), mmc.ToDrive, 32}, fuzzCommand{writeCDB(32, 32), mmc.ToDrive, 32}
			sync := fuzzCommand{syncCDB, mmc.NoData, 0}
			for _, n := range []byte{byte(media), byte(media + len(kinds))} {
				add(n, reserve, first, second, sync)
				add(n, reserve, first, fuzzCommand{closeCDB(closeFunctionTrack, 1), mmc.NoData, 0}, fuzzCommand{closeCDB(closeFunctionSession, 0), mmc.NoData, 0})
				add(n, first, fuzzCommand{[]byte{0xa1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, mmc.NoData, 0}, second, sync)
			}
		case DVDRWOverwrite:
			add(byte(media), fuzzCommand{[]byte{0xa1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, mmc.NoData, 0}, fuzzCommand{writeCDB(0, 32), mmc.ToDrive, 32})
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		k := kinds[int(in[0])%len(kinds)]
		w := newWorld()
		d := w.drive(blankState(t, k.media, minBlocks*4))
		switch {
		case k.profile.IsCD() && int(in[0])/len(kinds)%2 == 1:
			selectType(t, d, writeTypeAtOnce)
			cue := sheet("4 0.0.14@-150", "4 1.0.10@-150", "4 1.1.10@0", "4 2.0.10@310", "4 2.1.10@320", "4 170.1.14@700")
			if err := send(d, []byte{byte(mmc.OpSendCueSheet), 0, 0, 0, 0, 0, 0, 0, byte(len(cue)), 0}, mmc.ToDrive, cue); err != nil {
				t.Fatal(err)
			}
		case k.profile.IsCD():
			selectTAO(t, d)
		case k.media == DVDR || k.media == DVDRW:
			if selectIncremental(t, d); int(in[0])/len(kinds)%2 == 1 {
				selectType(t, d, writeTypeAtOnce)
			}
		case k.media == DVDRDL:
			selectType(t, d, writeTypeAtOnce)
		}
		data := make([]byte, maxFuzzData)
		in = in[1:]
		for sent := 0; sent < maxFuzzCommands && len(in) >= 3; sent++ {
			n, dir, blocks := int(in[0]), mmc.Direction(in[1]%3), int(in[2])
			in = in[3:]
			n = min(n, len(in))
			cmd := &mmc.Command{CDB: in[:n], Direction: dir, Data: data[:min(blocks*mmc.BlockSize, len(data))]}
			in = in[n:]
			before := bytes.Clone(cmd.CDB)
			err := d.Execute(context.Background(), cmd)
			var se *mmc.SenseError
			if err != nil && !errors.As(err, &se) {
				t.Fatalf("% x: %v", cmd.CDB, err)
			}
			if se != nil && (!se.Raw.Valid() || se.Key == mmc.KeyNoSense) {
				t.Fatalf("% x: sense data % x", cmd.CDB, []byte(se.Raw))
			}
			if cmd.Resid < 0 || cmd.Resid > len(cmd.Data) || !bytes.Equal(cmd.CDB, before) {
				t.Fatalf("% x: %d of %d bytes left", cmd.CDB, cmd.Resid, len(cmd.Data))
			}
			if err := d.medium.check(); err != nil {
				t.Fatalf("% x left an impossible medium: %v", cmd.CDB, err)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if w.state != nil {
			if _, err := parseState(w.state); err != nil {
				t.Fatalf("%v:\n%s", err, w.state)
			}
		}
	})
}

type fuzzCommand struct {
	cdb    []byte
	dir    mmc.Direction
	blocks byte
}

// FuzzState parses anything as a state file. What is accepted comes out as it
// went in, and a drive can work with it.
func FuzzState(f *testing.F) {
	files, err := filepath.Glob("testdata/state/*.medium")
	if err != nil || len(files) == 0 {
		f.Fatalf("no state files: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := parseState(in)
		if err != nil {
			return
		}
		b, err := s.marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseState(b)
		if err != nil {
			t.Fatalf("what we wrote cannot be read: %v\n%s", err, b)
		}
		if c, err := again.marshal(); err != nil || !bytes.Equal(b, c) {
			t.Fatalf("%s became %s (%v)", b, c, err)
		}
		w := newWorld()
		d := w.drive(s)
		if d.medium.profile.IsCD() {
			selectTAO(t, d)
		}
		for i := range commands {
			c := make([]byte, len(commands[i].usage))
			c[0] = byte(commands[i].opcode)
			dir := mmc.FromDrive
			if len(c) == 10 {
				binary.BigEndian.PutUint16(c[7:], 2048)
			}
			if err := send(d, c, dir, make([]byte, 2048)); err != nil && !errors.As(err, new(*mmc.SenseError)) {
				t.Fatal(err)
			}
		}
		for _, v := range d.medium.rules.tracks(d.medium) {
			for _, lba := range []uint32{v.start, v.start + v.written, v.nwa, v.start + v.size} {
				for _, n := range []uint32{1, 32} {
					p := make([]byte, n*mmc.BlockSize)
					c := writeCDB(lba, n)
					if err := send(d, c, mmc.ToDrive, p); err != nil && !errors.As(err, new(*mmc.SenseError)) {
						t.Fatal(err)
					}
					c[0] = byte(mmc.OpRead10)
					if err := send(d, c, mmc.FromDrive, p); err != nil && !errors.As(err, new(*mmc.SenseError)) {
						t.Fatal(err)
					}
				}
			}
			for function := range byte(8) {
				if err := send(d, closeCDB(function, v.number), mmc.NoData, nil); err != nil && !errors.As(err, new(*mmc.SenseError)) {
					t.Fatal(err)
				}
			}
		}
		if err := d.medium.check(); err != nil {
			t.Fatalf("the commands left an impossible medium: %v", err)
		}
	})
}
