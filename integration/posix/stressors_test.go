package posix

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"burnfs/integration/harness"
)

// stressor is one of stress-ng(1), with options that keep it small.
type stressor struct {
	name    string
	options string
}

// stressors are those whose system calls a FUSE server can meet, in groups that
// run at once. Left out are:
//
//	fiemap, verity        ioctls that a FUSE server of this kind does not get
//	inode-flags, chattr   the same; they succeed whatever happens
//	io                    opens all mounts of the machine, those of other tests, too
//	bind-mount, binderfs  not about the file system they run on
//	eventfd, procfs,
//	ioprio, fanotify
//	handle                name_to_handle_at(2) of FUSE is the kernel's business
//	seal                  of memfd_create(2) only
//	unlink, metamix       not in Debian's stress-ng 0.15
var stressors = [][]stressor{
	{
		{"access", ""}, {"chdir", "--chdir-dirs 64"}, {"chmod", ""}, {"chown", ""}, {"dentry", "--dentries 128"}, {"dir", "--dir-dirs 64"},
		{"dirdeep", "--dirdeep-dirs 4 --dirdeep-inodes 100"}, {"dirmany", ""}, {"dnotify", ""}, {"filename", ""}, {"fstat", ""},
		{"getdent", ""}, {"inotify", ""}, {"link", ""}, {"mknod", ""}, {"rename", ""}, {"symlink", ""}, {"touch", ""}, {"utime", ""}, {"xattr", ""},
	},
	{
		{"aio", ""}, {"copy-file", "--copy-file-bytes 128M"}, {"dup", ""}, {"fallocate", "--fallocate-bytes 4M"}, {"fcntl", ""},
		{"file-ioctl", ""}, {"flock", ""}, {"fpunch", ""}, {"fsize", ""}, {"hdd", "--hdd-bytes 4M"},
		{"iomix", "--iomix-bytes 4M"}, {"lease", ""}, {"locka", ""}, {"lockf", ""}, {"lockofd", ""}, {"mmap", "--mmap-file --mmap-bytes 1M"},
		{"msync", "--msync-bytes 1M"}, {"open", ""}, {"readahead", "--readahead-bytes 1M"}, {"revio", "--revio-bytes 4M"},
		{"seek", "--seek-size 4M"}, {"sendfile", "--sendfile-size 1M"}, {"splice", ""}, {"sync-file", "--sync-file-bytes 4M"},
	},
}

// TestStressors runs the file stressors of stress-ng, each of which checks what
// it is told, all of a group at once. One that did not come round in the crowd runs
// again by itself.
func TestStressors(t *testing.T) {
	t.Parallel()
	seconds := 6
	if testing.Short() {
		seconds = 2
	}
	l := newLab(t)
	d := l.Disc("bd-re")
	m := d.Mount()
	for _, group := range stressors {
		rounds := stress(l, m, seconds, group...)
		for _, s := range group {
			if rounds[s.name] > 0 {
				continue
			}
			// On a machine that is busy with something else it takes its time.
			for alone := 8; rounds[s.name] == 0 && alone < 500; alone *= 4 {
				rounds[s.name] = stress(l, m, alone, s)[s.name]
			}
			if rounds[s.name] == 0 {
				t.Errorf("%s did nothing", s.name)
			}
		}
	}
	if list, err := os.ReadDir(m.Point); err != nil || len(list) != 0 {
		t.Errorf("the stressors left behind %v, %v", list, err)
	}
	// What they did to it must not hurt what comes after.
	if err := os.WriteFile(m.Path("after"), []byte(pattern(10000, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	m.Burn()
	m = d.Mount()
	if b, err := os.ReadFile(m.Path("after")); err != nil || string(b) != pattern(10000, 1) {
		t.Errorf("%d bytes were read back, %v", len(b), err)
	}
	m.Unmount()
}

var stressorRounds = regexp.MustCompile(`- stressor: (\S+)\n\s+bogo-ops: (\d+)`)

// stress runs stressors at once and returns how many rounds each of them made.
func stress(l *harness.Lab, m *harness.Mount, seconds int, group ...stressor) map[string]int {
	l.Helper()
	report := filepath.Join(l.TempDir(), "report.yaml")
	args := []string{"--temp-path", m.Point, "--timeout", strconv.Itoa(seconds), "--verify", "--metrics", "--yaml", report}
	for _, s := range group {
		args = append(append(args, "--"+s.name, "1"), strings.Fields(s.options)...)
	}
	r := harness.Try(l, "stress-ng", args...)
	// 0: success, 2: a stressor failed, 3: something could not be set up,
	// 4: a stressor is not implemented (stress-ng(1), EXIT STATUS).
	if r.Code != 0 || strings.Contains(r.Stderr+r.Stdout, "skipping") {
		l.Fatalf("%v", r)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		l.Fatal(err)
	}
	rounds := make(map[string]int)
	for _, m := range stressorRounds.FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			l.Fatal(err)
		}
		rounds[m[1]] = n
	}
	return rounds
}

// fioJobs are for fio(1): each block carries a checksum of its own.
const fioJobs = `[global]
directory=%s
size=4m
verify=crc32c
verify_fatal=1
do_verify=1
randseed=7
[random-4k]
rw=randwrite
bs=4k
ioengine=psync
numjobs=2
fsync=64
[sequential-128k]
rw=write
bs=128k
ioengine=psync
[mapped]
rw=randwrite
bs=4k
ioengine=mmap
numjobs=2
[direct]
rw=randwrite
bs=8k
direct=1
ioengine=libaio
iodepth=4
`

// TestFio writes checked blocks in four ways, verifies them, verifies them from
// the disc, writes over what is on the disc, verifies that, before and after a
// commit, and at last sees that fio does find a wrong byte.
func TestFio(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.Disc("bd-r")
	m := d.Mount()
	if err := os.Mkdir(m.Path("fio"), 0o755); err != nil {
		t.Fatal(err)
	}
	jobs := l.Path("jobs.fio")
	if err := os.WriteFile(jobs, fmt.Appendf(nil, fioJobs, m.Path("fio")), 0o644); err != nil {
		t.Fatal(err)
	}
	// fio leaves the state of its verification where it runs.
	fio := func(args ...string) harness.Result {
		return harness.Try(l, "sh", append([]string{"-euc", `cd "$1"; shift; exec fio "$@"`, "sh", l.Dir}, append(args, jobs)...)...)
	}
	must := func(args ...string) {
		t.Helper()
		if r := fio(args...); r.Code != 0 {
			t.Fatalf("%v", r)
		}
	}
	must()
	m.Burn()
	m = d.Mount()
	must("--verify_only")
	must()
	l.MustBurnfs("sync", m.Point)
	must("--verify_only")
	m.Unmount()
	m = d.Mount()
	must("--verify_only")

	f, err := os.OpenFile(m.Path("fio/sequential-128k.0.0"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("wrong"), 1<<20+5000); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if r := fio("--verify_only"); r.Code == 0 {
		t.Errorf("fio does not find a wrong byte: %v", r)
	}
	m.Unmount()
}
