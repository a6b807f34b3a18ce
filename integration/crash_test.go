package integration

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/integration/harness"
	"burnfs/integration/judge"
)

// TestKillWhileStaging kills the daemon with SIGKILL while files are written into
// the mount. Each file that was fsynced is there at the next mount, and burned by
// the unmount after it. Earlier sessions are intact.
func TestKillWhileStaging(t *testing.T) {
	t.Parallel()
	for _, media := range []string{"bd-r", "bd-re"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			l := harness.New(t)
			rng := harness.Rand(t)
			d, model := l.Disc(media), l.Model()
			m := d.Mount()
			model.Both(m, func(root string) { harness.GoSource(l, "archive", filepath.Join(root, "archive")) })
			model.Compare(m)
			model.Keep()
			m.Burn()

			for round := range 3 {
				m := d.Mount()
				done := writeUntilKilled(t, m, fmt.Sprintf("round%d", round), 5+rng.IntN(30))
				m.Kill()
				compareFirstSession(l, d, model)
				// The dead mount is cleared away by mounting again.
				m = d.Mount()
				for _, name := range done {
					got, err := os.ReadFile(m.Path(name))
					if err != nil {
						t.Errorf("round %d: %s was fsynced: %v", round, name, err)
					} else if string(got) != contentOf(name) {
						t.Errorf("round %d: %s was fsynced and holds other bytes now", round, name)
					}
				}
				m.Burn()
				m = d.Mount("ro")
				for _, name := range done {
					if got, err := os.ReadFile(m.Path(name)); err != nil || string(got) != contentOf(name) {
						t.Errorf("round %d: %s was burned and reads as %d bytes, %v", round, name, len(got), err)
					}
				}
				m.Unmount()
			}
			if n := len(d.Sessions()); n != 4 {
				t.Errorf("the disc has %d sessions, should have 4", n)
			}
			compareFirstSession(l, d, model)
		})
	}
}

// compareFirstSession looks at the first session on a mount point of its own.
func compareFirstSession(l *harness.Lab, d *harness.Disc, model *harness.Model) {
	l.Helper()
	m := d.MountAt(l.Mkdir("first", 0o755), "session=1")
	model.CompareSession(m, 1)
	m.Unmount()
}

// contentOf makes a file's bytes from its name.
func contentOf(name string) string {
	name = filepath.Base(name)
	return strings.Repeat(name+" of the test\n", 400+len(name))
}

// writeUntilKilled lets a process of its own write and fsync files into the mount
// and returns as soon as n of them are done; the process is still writing then,
// and ends when the mount dies. The result is what it fsynced so far.
func writeUntilKilled(t *testing.T, m *harness.Mount, dir string, n int) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), writerEnv+"="+m.Path(dir))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it ends with an error: its mount died
	})
	var done []string
	for s := bufio.NewScanner(out); len(done) < n && s.Scan(); {
		done = append(done, filepath.Join(dir, s.Text()))
	}
	if len(done) < n {
		t.Fatalf("only %d of %d files were written", len(done), n)
	}
	return done
}

// writerEnv turns the test binary into the process that writes.
const writerEnv = "BURNFS_TEST_WRITER"

// writer writes and fsyncs files below dir for ever and prints the name of each
// one that is durable.
func writer(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for i := 0; ; i++ {
		name := fmt.Sprintf("file-%06d", i)
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if _, err := f.WriteString(contentOf(name)); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		fmt.Println(name)
	}
}

// TestKillAtTenPointsOfABurn kills the daemon at ten points of a burn, and once
// while it closes or verifies, if that can be caught. At the next mount everything
// is there, burned or staged; earlier sessions are intact; the next unmount
// completes and the disc holds all.
func TestKillAtTenPointsOfABurn(t *testing.T) {
	t.Parallel()
	const points = 10
	for _, media := range []string{"bd-r", "dvd+r", "cd-r", "bd-re", "dvd+rw"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			l := harness.New(t)
			rng := harness.Rand(t)
			d, model := l.Disc(media), l.Model()
			m := d.Mount()
			model.Both(m, func(root string) { harness.GoSource(l, "container", filepath.Join(root, "container")) })
			model.Compare(m)
			model.Keep()
			m.Burn()
			for point := range points {
				// Eight megabytes at the speed of a slow drive take about two seconds.
				m := d.Mount("speed=4500")
				name := fmt.Sprintf("killed-at-%d", point)
				data := harness.Noise(rng, 8<<20)
				model.Both(m, func(root string) {
					if err := os.WriteFile(filepath.Join(root, name), data, 0o644); err != nil {
						t.Fatal(err)
					}
					if err := os.Chmod(filepath.Join(root, "container"), 0o700+os.FileMode(point)); err != nil {
						t.Fatal(err)
					}
				})
				model.Compare(m)
				where := killAt(t, m, int64(point), points)
				t.Logf("point %d: killed while %s", point, where)

				compareFirstSession(l, d, model)
				m = d.Mount()
				model.Compare(m)
				model.Keep()
				m.Unmount()

				last := d.Last()
				view := judge.Open(l, d.Path).Session(last.Start)
				if harness.Overwritable(media) {
					view = judge.Open(l, d.Path).Newest(last.Start)
				}
				view.Compare(model.Sessions[point+1], judge.Xorriso)
				view.CheckFiles()
			}
			checkInterrupted(l, d, points)
		})
	}
}

// checkInterrupted looks at a disc with one whole and n interrupted burns: there is
// one readable session of each, because an interrupted burn goes on where it was.
// A CD's track cannot go on (MMC-5 6.37: a damaged track is closed), so there the
// piece stays as a session of its own that holds nothing, which verify tells.
func checkInterrupted(l *harness.Lab, d *harness.Disc, n int) {
	l.Helper()
	r := l.Burnfs("verify", d.Path)
	readable, pieces := 0, 0
	for _, s := range d.Sessions() {
		if s.Content == "iso9660" {
			readable++
		} else {
			pieces++
		}
	}
	if readable != n+1 {
		l.Errorf("the disc has %d readable sessions after one whole and %d interrupted burns", readable, n)
	}
	cd := strings.HasPrefix(d.Media, "cd-")
	if !cd && (pieces != 0 || r.Code != 0) || pieces > n {
		l.Errorf("%d sessions cannot be read, and:\n%v", pieces, r)
	}
}

// killAt begins to unmount and kills the daemon when point/points of the burn are
// done.
func killAt(t *testing.T, m *harness.Mount, point, points int64) string {
	t.Helper()
	unmounted := make(chan harness.Result, 1)
	go func() { unmounted <- m.TryUnmount() }()
	for {
		select {
		case r := <-unmounted:
			t.Fatalf("the burn was over before it could be killed at point %d:\n%v", point, r)
		default:
		}
		st, err := m.TryStatus()
		if err != nil {
			t.Fatal(err)
		}
		p := st.Progress
		if p != nil && p.Phase != "planning" && (p.Phase != "burning" || p.Total > 0 && p.Done*points >= p.Total*point) {
			m.Kill()
			<-unmounted
			return fmt.Sprintf("%s, %d of %d bytes", p.Phase, p.Done, p.Total)
		}
	}
}
