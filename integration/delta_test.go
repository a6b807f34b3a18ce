package integration

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"burnfs/integration/harness"
	"burnfs/integration/judge"
	"burnfs/integration/manifest"
)

var deltaFlag = flag.Int64("delta-size", 64<<20, "`bytes` of the file that TestDeltaOfPrograms has programs change")

// burned is how many bytes of a changed file a session has to hold: blocks that differ,
// with what is between them if that is less than 32 KiB, or at an end of the file less
// than 16 KiB.
func burned(old, now []byte) (bytesBurned int64) {
	const gap = 16
	blocks := (len(now) + blockSize - 1) / blockSize
	end := -1 // of the last block that differs
	for i := range blocks {
		from, to := i*blockSize, min((i+1)*blockSize, len(now))
		if to <= len(old) && bytes.Equal(old[from:to], now[from:to]) {
			continue
		}
		switch {
		case end < 0 && i < gap/2:
			bytesBurned += int64(i) * blockSize
		case end >= 0 && i-end < gap:
			bytesBurned += int64(i-end) * blockSize
		}
		bytesBurned += int64(to - from)
		end = i + 1
	}
	if end >= 0 && blocks-end <= gap/2 {
		bytesBurned += int64(len(now)) - min(int64(end)*blockSize, int64(len(now)))
	}
	return bytesBurned
}

// planned is what `burnfs plan` says that will be burned.
func planned(l *harness.Lab, m *harness.Mount) (blocks uint32, newBytes int64) {
	l.Helper()
	var p struct {
		Blocks   uint32 `json:"blocks"`
		NewBytes int64  `json:"new_bytes"`
	}
	if err := json.Unmarshal([]byte(l.MustBurnfs("plan", "--json", m.Point)), &p); err != nil {
		l.Fatal(err)
	}
	return p.Blocks, p.NewBytes
}

// delta is a file that a program changes on a disc, session after session.
type delta struct {
	*harness.Lab
	disc *harness.Disc
	name string
	now  []byte
}

// session lets do change the file and demands that only what differs is burned.
func (d *delta) session(what string, do func(file string)) {
	d.Helper()
	m := d.disc.Mount()
	do(m.Path(d.name))
	now, err := os.ReadFile(m.Path(d.name))
	if err != nil {
		d.Fatal(err)
	}
	want := burned(d.now, now)
	blocks, got := planned(d.Lab, m)
	if got != want {
		d.Errorf("%s: %d bytes are to be burned, want %d", what, got, want)
	}
	d.now = now
	m.Burn()
	if s := d.disc.Last(); s.Blocks != blocks {
		d.Errorf("%s: a session of %d blocks was planned and has %d", what, blocks, s.Blocks)
	}
}

// judged lets foreign programs read the file, and what checksums are recorded of it.
func (d *delta) judged(judges ...judge.Judge) {
	d.Helper()
	s := d.disc.Last()
	v := judge.Open(d, d.disc.Path).Session(s.Start)
	v.Older = true
	want, err := manifest.Hash(bytes.NewReader(d.now))
	if err != nil {
		d.Fatal(err)
	}
	harness.Together(d, func() {
		d.MustBurnfs("verify", d.disc.Path)
	}, func() {
		r := harness.Try(d, "xorriso", "-return_with", "WARNING", "32", "-md5", "on", "-load", "sbsector", fmt.Sprint(s.Start), "-indev", "stdio:"+d.disc.Path, "-check_md5_r", "FAILURE", "/", "--")
		if r.Code != 0 {
			d.Errorf("xorriso -check_md5: %v", r)
		}
	})
	for _, j := range judges {
		e := j.Read(v)[d.name]
		if e == nil || e.Size != int64(len(d.now)) || e.SHA256 != want {
			d.Errorf("%s reads the file otherwise: %+v", j.Name, e)
		}
	}
}

// TestDeltaOfPrograms has rsync and cp change a large file on a disc.
func TestDeltaOfPrograms(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	size := *deltaFlag
	src := l.Path("file")
	data := harness.Noise(harness.Rand(t), int(size)+100)
	d := &delta{Lab: l, disc: l.Disc("bd-r"), name: "file"}
	source := func(change func()) {
		change()
		if err := os.WriteFile(src, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	source(func() {})
	d.session("a new file", func(file string) { harness.Run(l, "cp", src, file) })
	d.session("rsync --inplace", func(file string) {
		source(func() { copy(data[size/2+7:], harness.Noise(harness.Rand(t), 1<<20)) })
		harness.Run(l, "rsync", "--inplace", "--no-whole-file", "--ignore-times", src, file)
	})
	d.session("rsync of a longer file", func(file string) {
		source(func() { data[1<<20]++; data = append(data, harness.Noise(harness.Rand(t), 1<<20)...) })
		harness.Run(l, "rsync", "--ignore-times", src, file)
	})
	d.session("cp", func(file string) {
		source(func() { data[size/4]++; data = data[:size/4*3+1] })
		harness.Run(l, "cp", src, file)
	})
	d.judged(judge.Xorriso, judge.SevenZip) // bsdtar does not go back on the disc
}

// TestDeltaOfLogAndDatabase appends to a log, and changes a few rows of an SQLite
// database on the disc.
func TestDeltaOfLogAndDatabase(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	disc := l.Disc("dvd+rw")
	rng := harness.Rand(t)
	log := &delta{Lab: l, disc: disc, name: "log"}
	add := func(n int) func(string) {
		return func(file string) {
			f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
			if err == nil {
				_, err = f.Write(harness.Noise(rng, n))
			}
			if err == nil {
				err = f.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	log.session("a log", add(5<<20+1))
	for i := range 3 {
		log.session(fmt.Sprint("appended for the ", i, ". time"), add(100_000))
	}
	log.judged(judge.Xorriso, judge.IsoinfoRockRidge, judge.Bsdtar, judge.SevenZip)

	base := &delta{Lab: l, disc: disc, name: "db"}
	sql := func(file, script string) string {
		return harness.Run(l, "sqlite3", file, "PRAGMA page_size = 4096; "+script)
	}
	local := l.Path("db")
	sql(local, `CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 2500) INSERT INTO t SELECT i, randomblob(2000) FROM n;`)
	base.session("a database", func(file string) { harness.Run(l, "cp", local, file) })
	base.session("a few rows", func(file string) {
		sql(file, "UPDATE t SET v = zeroblob(2000) WHERE id IN (10, 700, 701, 1500, 2400);")
	})
	copied := filepath.Join(l.Path("copied"))
	if err := os.WriteFile(copied, base.now, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := sql(copied, "PRAGMA integrity_check; SELECT count(*) FROM t WHERE v = zeroblob(2000);"); got != "ok\n5\n" {
		t.Errorf("SQLite says %q", got)
	}
	base.judged(judge.Xorriso, judge.IsoinfoRockRidge, judge.SevenZip)
}
