package fusefs

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
	"burnfs/session/tree"
)

// TestAttributesComeWithNames: who looks at everything in a directory asks for
// nothing but the directory.
func TestAttributesComeWithNames(t *testing.T) {
	tr := newTree(t, roomy)
	for i := range 500 {
		n, err := tr.Create(t.Context(), tr.Root(), fmt.Sprintf("file%03d%s", i, strings.Repeat("x", i%200)), tree.New{Mode: 0o100640, UID: 7})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tr.WriteAt(t.Context(), n, make([]byte, i), 0, false); err != nil {
			t.Fatal(err)
		}
	}
	m := mountTree(t, tr, Options{}, LevelTrace)
	count := func(op string) int { return strings.Count(m.log.String(), "<- "+op+" [") }
	m.want(`find $M -mindepth 1 -printf '%f %s %U %m\n' | sort | awk '{n++; sum += $2; if ($3 != 7 || $4 != 640) bad++} END {print n, sum, bad+0}'`, "500 124750 0")
	// Some there are if another test lets the kernel drop its caches meanwhile.
	if lookups := count("Lookup"); lookups >= 500 {
		t.Errorf("%d lookups of names whose attributes were told", lookups)
	}
	plus := count("Readdirplus")
	if plus == 0 {
		t.Error("no directory was read with attributes")
	}
	// They are known now, and what changes is shown.
	m.want(`chmod 600 $M/file000; rm $M/file001x; stat -c %a $M/file000; ls $M | wc -l; ls $M | head -2`, "600\n499\nfile000\nfile002xx")
}

// TestRemovedWhileListed: what is removed while somebody reads the directory does not
// come back.
func TestRemovedWhileListed(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{})
	m.sh(`mkdir $M/d; cd $M/d; for i in $(seq 1000); do : >$i; done`)
	m.want(`cd $M/d; find . -type f -exec rm {} + ; ls -A | wc -l; for i in 1 500 1000; do test -e $i && echo $i; done; rmdir ../d && echo gone`, "0\ngone")
}

// slowBase is the tree of a disc with two directories, one of which is read slowly.
type slowBase struct{ reading, release chan struct{} }

const (
	rootBlock = 30 + iota
	slowBlock
	fastBlock
)

func directory(name string, block uint32) volume.Entry {
	return volume.Entry{
		Name: name, Mode: volume.ModeDirectory | 0o755, Nlink: 2, Serial: block, HasSerial: true,
		Sections: []iso9660.Section{{LBA: block, Size: iso9660.BlockSize}}, RecordLBA: rootBlock, RecordOffset: uint16(block),
	}
}

func (b slowBase) Root(context.Context) (volume.Entry, error) { return directory("", rootBlock), nil }
func (b slowBase) OwnSerials() bool                           { return true }

func (b slowBase) ReadDir(ctx context.Context, dir iso9660.Section) iter.Seq2[volume.Entry, error] {
	return func(yield func(volume.Entry, error) bool) {
		switch dir.LBA {
		case rootBlock:
			_ = yield(directory("slow", slowBlock), nil) && yield(directory("fast", fastBlock), nil)
		case slowBlock:
			b.reading <- struct{}{}
			select {
			case <-b.release:
			case <-ctx.Done():
				yield(volume.Entry{}, ctx.Err())
			}
		}
	}
}

// TestSlowRequestHoldsUpNobody: while the disc is read for one program, others are
// served.
func TestSlowRequestHoldsUpNobody(t *testing.T) {
	base := slowBase{make(chan struct{}), make(chan struct{})}
	tr, err := tree.Open(t.Context(), tree.Options{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	m := mountTree(t, tr, Options{})
	const programs = 3
	done := make(chan error, programs)
	for range programs {
		cmd := m.command("ls", m.dir+"/slow")
		go func() { done <- cmd.Run() }()
	}
	<-base.reading // the others may wait for the first one in the kernel
	m.want(`ls $M/fast; stat -c %F $M/fast; ls $M`, "directory\nfast\nslow")
	close(base.release)
	for n := 0; n < programs; {
		select {
		case <-base.reading:
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			n++
		}
	}
}

// TestKilledWhileListing: who reads a directory that the disc hardly gives can be killed,
// and others read it still.
func TestKilledWhileListing(t *testing.T) {
	base := slowBase{make(chan struct{}), make(chan struct{})}
	tr, err := tree.Open(t.Context(), tree.Options{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	m := mountTree(t, tr, Options{})
	cmd := m.command("ls", m.dir+"/slow")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	<-base.reading
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("it waits on")
		close(base.release)
		<-ended
		return
	}
	close(base.release)
	go func() { <-base.reading }()
	m.want(`ls -A $M/slow; echo read`, "read")
}
