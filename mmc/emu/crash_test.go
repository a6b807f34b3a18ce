package emu

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"burnfs/mmc"
)

var seed = flag.Uint64("seed", 1, "seed of the random tests; 0 chooses one")

func newRand(t *testing.T) *rand.Rand {
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", s)
	return rand.New(rand.NewPCG(s, 0))
}

func send(d *Drive, c []byte, dir mmc.Direction, data []byte) error {
	return d.Execute(context.Background(), &mmc.Command{CDB: c, Direction: dir, Data: data})
}

func writeCDB(lba, n uint32) []byte {
	c := make([]byte, 10)
	c[0] = byte(mmc.OpWrite10)
	binary.BigEndian.PutUint32(c[2:], lba)
	binary.BigEndian.PutUint16(c[7:], uint16(n))
	return c
}

func closeCDB(function byte, track int) []byte {
	c := make([]byte, 10)
	c[0], c[2] = byte(mmc.OpCloseTrackSession), function
	binary.BigEndian.PutUint16(c[4:], uint16(track))
	return c
}

var syncCDB = []byte{byte(mmc.OpSynchronizeCache), 0, 0, 0, 0, 0, 0, 0, 0, 0}

// selectTAO sends mode page 05h for track at once with more sessions to come.
func selectTAO(t *testing.T, d *Drive) { selectType(t, d, writeTypeTAO) }

func selectType(t *testing.T, d *Drive, writeType byte) {
	p := defaultWriteParameters()
	p[2], p[3] = 0x40|writeType, multiSessionMask|4
	data := append(make([]byte, modeHeaderLen), p...)
	if err := send(d, []byte{byte(mmc.OpModeSelect10), 0x10, 0, 0, 0, 0, 0, 0, byte(len(data)), 0}, mmc.ToDrive, data); err != nil {
		t.Fatal(err)
	}
}

// selectIncremental describes incremental recording of a DVD-R that stays
// appendable.
func selectIncremental(t *testing.T, d *Drive) {
	p := defaultWriteParameters()
	p[2], p[3], p[5] = 0x40|0x20, multiSessionMask|0x20|5, dvdRPacket
	p[13] = dvdRPacket
	data := append(make([]byte, modeHeaderLen), p...)
	if err := send(d, []byte{byte(mmc.OpModeSelect10), 0x10, 0, 0, 0, 0, 0, 0, byte(len(data)), 0}, mmc.ToDrive, data); err != nil {
		t.Fatal(err)
	}
}

// content is what the test writes into a block the n-th time it writes there.
func content(lba, n uint32) []byte {
	p := make([]byte, mmc.BlockSize)
	binary.LittleEndian.PutUint32(p, lba)
	binary.LittleEndian.PutUint32(p[4:], n+1)
	return p
}

// lastOpen returns the next track to write, recorded or not.
func lastOpen(d *Drive) (trackView, bool) {
	views := d.medium.rules.tracks(d.medium)
	if len(views) == 0 {
		return trackView{}, false
	}
	v := views[len(views)-1]
	return v, v.open
}

// TestPowerCut burns at random and cuts the power at a random moment, several
// times on each medium. Whatever of the unsynced blocks survives: the state file
// can be read, the next writable address lies between that of the last flush and
// that of the last write, and every block below it has what was written last, or
// zeros where the drive filled up.
func TestPowerCut(t *testing.T) {
	const rounds, lives = 4, 4
	rng := newRand(t)
	for _, media := range []Media{CDR, DVDR, DVDPlusR, BDR} {
		for round := range rounds {
			w := newWorld()
			if err := w.replaceState(blankState(t, media, 0)); err != nil {
				t.Fatal(err)
			}
			want := map[uint32]uint32{} // the life in which each block was written
			for life := range uint32(lives) {
				st, err := parseState(w.state)
				if err != nil {
					t.Fatalf("%s round %d life %d: %v\n%s", media, round, life, err, w.state)
				}
				d := w.drive(st)
				flushed, written := burnAtRandom(t, rng, d, life, want)
				before := w
				w = w.powerCut(rng, []float64{0, 0.5, 1}[rng.IntN(3)])
				d.medium.data.background.Wait()

				if st, err = parseState(w.state); err != nil {
					t.Fatalf("%s round %d life %d: %v\n%s", media, round, life, err, w.state)
				}
				got := w.drive(st).position()
				if got < flushed || got > written {
					t.Fatalf("%s round %d life %d: next writable address %d, but %d were flushed and %d written\n%s\n%s",
						media, round, life, got, flushed, written, before.state, w.state)
				}
				for lba := range want {
					if lba >= got {
						delete(want, lba)
					}
				}
				w.checkContent(t, st, want)
			}
		}
	}
}

// burnAtRandom writes, flushes and closes, and returns the ends of what was
// flushed and of what was written. A cluster that is not full counts as written,
// not as flushed.
func burnAtRandom(t *testing.T, rng *rand.Rand, d *Drive, life uint32, want map[uint32]uint32) (flushed, written uint32) {
	t.Helper()
	if d.medium.media == DVDR {
		selectIncremental(t, d)
	}
	if d.medium.profile.IsCD() {
		selectTAO(t, d)
	}
	flushed, written = d.position(), d.position()
	do := func(c []byte, dir mmc.Direction, data []byte) {
		t.Helper()
		if err := send(d, c, dir, data); err != nil {
			t.Fatalf("% x: %v", c, err)
		}
		written = max(written, d.position())
	}
	for range rng.IntN(16) {
		v, ok := lastOpen(d)
		if !ok {
			break
		}
		switch op := rng.IntN(10); {
		case v.damaged || op == 0 && !v.invisible:
			do(closeCDB(closeFunctionTrack, v.number), mmc.NoData, nil)
			flushed = d.position()
		case op == 1:
			do(syncCDB, mmc.NoData, nil)
			flushed = d.position()
		case op == 2 && v.invisible:
			do(closeCDB(closeFunctionSession, 0), mmc.NoData, nil)
			flushed = d.position()
		default: // up to 4 MiB, so that some bursts meet a checkpoint
			n := min(uint32(1+rng.IntN(128))*16, v.free)
			p := make([]byte, 0, int(n)*mmc.BlockSize)
			for i := range n {
				p = append(p, content(v.nwa+i, life)...)
				want[v.nwa+i] = life
			}
			do(writeCDB(v.nwa, n), mmc.ToDrive, p)
		}
	}
	return flushed, written
}

// position returns the end of what is recorded.
func (d *Drive) position() uint32 {
	m := d.medium
	end := uint32(0)
	for _, s := range m.Sessions {
		for _, t := range s.Tracks {
			end = max(end, t.nwa())
		}
	}
	return end
}

func (w *world) replaceState(s *state) error {
	b, err := s.marshal()
	if err != nil {
		return err
	}
	return w.replace("", b)
}

// checkContent compares all that can be read with what was written.
func (w *world) checkContent(t *testing.T, st *state, want map[uint32]uint32) {
	t.Helper()
	for _, s := range st.Sessions {
		for _, tr := range s.Tracks {
			for lba := tr.Start; lba < tr.nwa(); lba++ {
				got := w.blocks[int64(lba)]
				life, ok := want[lba]
				switch {
				case !ok && got == "":
				case !ok:
					t.Fatalf("%s: block %d of a track %d+%d was never written but has content", st.Media, lba, tr.Start, tr.Written)
				case got != string(content(lba, life)):
					t.Fatalf("%s: block %d of a track %d+%d is not what was written (%d bytes)", st.Media, lba, tr.Start, tr.Written, len(got))
				}
			}
		}
	}
}

// TestCheckpoint: the state file follows a long track every 16 MiB, and never
// before the blocks it tells of are durable.
func TestCheckpoint(t *testing.T) {
	w := newWorld()
	d := w.drive(blankState(t, BDR, 0))
	p := make([]byte, 64*mmc.BlockSize)
	saved := func() uint32 {
		d.medium.data.background.Wait()
		s, err := parseState(w.state)
		if err != nil {
			t.Fatal(err)
		}
		return s.Sessions[0].Tracks[0].Written
	}
	for lba := uint32(0); lba < 3*checkpointBlocks; lba += 64 {
		if err := send(d, writeCDB(lba, 64), mmc.ToDrive, p); err != nil {
			t.Fatal(err)
		}
		if got, want := saved(), (lba+64)/checkpointBlocks*checkpointBlocks; got != want {
			t.Fatalf("after %d blocks the state file tells %d, want %d", lba+64, got, want)
		}
		if s := saved(); s > 0 && len(w.durable) < int(s) {
			t.Fatalf("the state file tells %d blocks, but %d are durable", s, len(w.durable))
		}
	}
}

// TestHostTrouble: what goes wrong with the files of the host is told as a write
// error, and a medium that cannot be trusted any more says so for ever.
func TestHostTrouble(t *testing.T) {
	block := make([]byte, 32*mmc.BlockSize)
	t.Run("full file system", func(t *testing.T) {
		w := newWorld()
		d := w.drive(blankState(t, BDR, 0))
		w.writeErr = errInjected
		for range 2 {
			err := send(d, writeCDB(0, 32), mmc.ToDrive, block)
			if !errors.Is(err, mmc.ErrWriteError) || !errors.Is(err, errInjected) || mmc.Advice(err) != mmc.GiveUp {
				t.Fatalf("got %v", err)
			}
		}
		w.writeErr = nil
		if err := send(d, writeCDB(0, 32), mmc.ToDrive, block); err != nil {
			t.Fatalf("after room was made: %v", err)
		}
		if err := send(d, writeCDB(32, 32), mmc.ToDrive, block); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("lost blocks", func(t *testing.T) {
		w := newWorld()
		d := w.drive(blankState(t, BDR, 0))
		if err := send(d, writeCDB(0, 32), mmc.ToDrive, block); err != nil {
			t.Fatal(err)
		}
		w.syncErr = errInjected
		if err := send(d, syncCDB, mmc.NoData, nil); !errors.Is(err, mmc.ErrWriteError) {
			t.Fatalf("got %v", err)
		}
		w.syncErr = nil // fdatasync reports a loss once
		if err := send(d, syncCDB, mmc.NoData, nil); !errors.Is(err, mmc.ErrWriteError) {
			t.Errorf("the loss is forgotten: %v", err)
		}
		if err := send(d, writeCDB(32, 32), mmc.ToDrive, block); !errors.Is(err, mmc.ErrWriteError) {
			t.Errorf("burning goes on behind lost blocks: %v", err)
		}
		if err := d.Close(); !errors.Is(err, errInjected) {
			t.Errorf("closing hides the loss: %v", err)
		}
	})
	t.Run("lost blocks of a checkpoint", func(t *testing.T) {
		w := newWorld()
		d := w.drive(blankState(t, BDR, 0))
		if err := send(d, writeCDB(0, 32), mmc.ToDrive, block); err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		w.syncErr = errInjected
		w.mu.Unlock()
		for lba := uint32(32); ; lba += 32 {
			if err := send(d, writeCDB(lba, 32), mmc.ToDrive, block); err != nil {
				if !errors.Is(err, mmc.ErrWriteError) {
					t.Fatal(err)
				}
				break
			}
			d.medium.data.background.Wait() // or it may be slower than all writes
			if lba > 2*checkpointBlocks {
				t.Fatal("nobody noticed")
			}
		}
	})
	t.Run("state file", func(t *testing.T) {
		w := newWorld()
		d := w.drive(blankState(t, BDR, 0))
		w.replaceErr = errInjected
		if err := send(d, writeCDB(0, 32), mmc.ToDrive, block); !errors.Is(err, mmc.ErrWriteError) {
			t.Fatalf("got %v", err)
		}
		w.replaceErr = nil
		if err := send(d, writeCDB(0, 32), mmc.ToDrive, block); err != nil {
			t.Fatalf("after room was made: %v", err)
		}
		if err := send(d, syncCDB, mmc.NoData, nil); err != nil {
			t.Fatal(err)
		}
		if s, err := parseState(w.state); err != nil || s.Sessions[0].Tracks[0].Written != 32 {
			t.Fatalf("state %s: %v", w.state, err)
		}
	})
}

// TestReplaceStateFile reads the state file all the while it is replaced: it is
// always whole. What a crash left of an earlier replacement is in nobody's way.
func TestReplaceStateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disc")
	if err := os.WriteFile(path+newStateSuffix, []byte("{\"format\": \"burnfs med"), 0o666); err != nil {
		t.Fatal(err)
	}
	s := blankState(t, BDR, 0)
	put := func(n uint32) {
		s.ID = n
		b, err := s.marshal()
		if err == nil {
			err = replaceStateFile(path, b)
		}
		if err != nil {
			t.Error(err)
		}
	}
	put(0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range uint32(100) {
			put(n + 1)
		}
	}()
	for last := uint32(0); ; {
		got, err := readStateFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got.ID < last {
			t.Fatalf("state %d after state %d", got.ID, last)
		}
		last = got.ID
		select {
		case <-done:
			if got, err := readStateFile(path); err != nil || got.ID != 100 {
				t.Fatalf("last state: %v, %v", got, err)
			}
			if _, err := os.Stat(path + newStateSuffix); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a file is left behind: %v", err)
			}
			return
		default:
		}
	}
}

// TestStaleCheckpoint: a checkpoint that comes late does not put an old state in
// the place of a newer one.
func TestStaleCheckpoint(t *testing.T) {
	w := newWorld()
	s := &store{data: w, replace: w.replace}
	if err := s.put(2, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := s.put(1, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if string(w.state) != "new" {
		t.Errorf("state is %q", w.state)
	}
}

// TestPace: a write returns when the chosen speed would have written it.
func TestPace(t *testing.T) {
	for _, tt := range []struct {
		reason string
		cdb    []byte
		data   []byte
		want   time.Duration // for 16 writes of 64 KiB
	}{
		{"unlimited unless asked", nil, nil, 0},
		{"SET CD SPEED to 4x of CD", []byte{0xbb, 0, 0xff, 0xff, 706 >> 8, 706 & 0xff, 0, 0, 0, 0, 0, 0}, nil, 16 * 65536 * time.Millisecond / 706},
		{"SET CD SPEED to the maximum", []byte{0xbb, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0}, nil, 0},
		{"SET STREAMING of 4495 kB in 500 ms", []byte{0xb6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 28, 0}, streaming(4495, 500), 16 * 65536 * time.Millisecond / 8990},
		{"SET STREAMING of nearly nothing: no WRITE takes longer than a minute", []byte{0xb6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 28, 0}, streaming(1, 1000), 16 * time.Minute},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			d := newWorld().drive(blankState(t, BDR, 0))
			clock := time.Unix(0, 0)
			d.pace.now = func() time.Time { return clock }
			d.pace.sleep = func(d time.Duration) { clock = clock.Add(d) }
			if tt.cdb != nil {
				dir := mmc.NoData
				if tt.data != nil {
					dir = mmc.ToDrive
				}
				if err := send(d, tt.cdb, dir, tt.data); err != nil {
					t.Fatal(err)
				}
			}
			for i := range uint32(16) {
				if err := send(d, writeCDB(32*i, 32), mmc.ToDrive, make([]byte, 32*mmc.BlockSize)); err != nil {
					t.Fatal(err)
				}
			}
			if got := clock.Sub(time.Unix(0, 0)); got < tt.want-time.Microsecond || got > tt.want+time.Microsecond {
				t.Errorf("took %v, want %v", got, tt.want)
			}
		})
	}
}

func streaming(kB, ms uint32) []byte {
	p := make([]byte, performanceLen)
	binary.BigEndian.PutUint32(p[8:], 1000)
	binary.BigEndian.PutUint32(p[20:], kB)
	binary.BigEndian.PutUint32(p[24:], ms)
	return p
}

// TestSessionLimit: the 153rd session of a DVD+R is its last.
func TestSessionLimit(t *testing.T) {
	w := newWorld()
	d := w.drive(blankState(t, DVDPlusR, 0))
	for n := 1; n <= dvdPlusRMaxSessions; n++ {
		v, ok := lastOpen(d)
		if !ok || v.session != n {
			t.Fatalf("session %d cannot be written: %+v", n, v)
		}
		for _, c := range [][]byte{closeCDB(closeFunctionTrack, n), closeCDB(closeFunctionSession, 0)} {
			if c[2] == closeFunctionTrack {
				if err := send(d, writeCDB(v.nwa, 16), mmc.ToDrive, make([]byte, 16*mmc.BlockSize)); err != nil {
					t.Fatal(err)
				}
			}
			if err := send(d, c, mmc.NoData, nil); err != nil {
				t.Fatalf("session %d: %v", n, err)
			}
		}
	}
	if v, ok := lastOpen(d); ok || !d.medium.Finalized {
		t.Errorf("after %d sessions there is %+v", dvdPlusRMaxSessions, v)
	}
	if s, err := parseState(w.state); err != nil || !s.Finalized {
		t.Errorf("the state file does not know: %v", err)
	}
	// More than 99 tracks are shown as two in the table of contents.
	b := make([]byte, 4+3*8)
	cmd := &mmc.Command{CDB: []byte{0x43, 0, 0, 0, 0, 0, 0, 0, byte(len(b)), 0}, Direction: mmc.FromDrive, Data: b}
	if err := d.Execute(context.Background(), cmd); err != nil || cmd.Resid != 0 {
		t.Fatal(err, cmd.Resid)
	}
	last := d.medium.Sessions[dvdPlusRMaxSessions-1].Tracks[0].Start
	if got := fmt.Sprint(b[6], binary.BigEndian.Uint32(b[8:]), b[14], binary.BigEndian.Uint32(b[16:])); got != fmt.Sprint(1, 0, 2, last) {
		t.Errorf("tracks and starts %s, want 1 0 2 %d", got, last)
	}
}
