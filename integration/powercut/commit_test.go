package powercut

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"burnfs/integration/harness"
	"burnfs/integration/recorddisk"
	"burnfs/iso9660"
	"burnfs/iso9660/check"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/session"
	"burnfs/session/blocks"
	"burnfs/session/history"
	"burnfs/session/staging"
)

// discName is the disc to burnfs, wherever its files are: a blank one is known by its name.
const discName = "/the/disc"

// marking is a drive whose commands stand in the history.
type marking struct {
	mmc.Transport
	disk *recorddisk.Disk
}

func (m marking) Execute(ctx context.Context, c *mmc.Command) error {
	if err := m.disk.Mark("command %v", c.Opcode()); err != nil {
		return err
	}
	return m.Transport.Execute(ctx, c)
}

// openDisc opens the disc whose files are in dir/drive with the staging in dir/state. disk
// is where dir is recorded, nil if it is not.
func openDisc(dir string, disk *recorddisk.Disk, opt session.Options) (*session.Disc, error) {
	e, err := emu.Open(filepath.Join(dir, "drive", "disc"), emu.Options{Create: true})
	if err != nil {
		return nil, err
	}
	var transport mmc.Transport = e
	if disk != nil {
		transport = marking{e, disk}
	}
	opt.Name, opt.Log = discName, quiet
	if opt.StateDir == "" {
		opt.StateDir = filepath.Join(dir, "state")
	}
	return session.Open(background(), mmc.NewDrive(transport, quiet), opt)
}

// burned is a session that a commit has reported.
type burned struct {
	start, blocks uint32
	bytes         []byte // as they were when the commit returned
}

// course is how a disc was worked on.
type course struct {
	writer  *writer
	history *recorddisk.History
	// frozen are the numbers of the writer's states that were burned, in order; the first is
	// that of the blank disc.
	frozen   []int
	sessions []burned
	others   []burned // what was there before
}

// foreign is an image file of another program.
const foreign emu.Media = "foreign"

// capacity is that of a small disc, in blocks; of media that lose much between sessions that
// of a usual one.
func capacity(media emu.Media) int64 {
	switch media {
	case emu.CDR, emu.DVDR:
		return 0
	}
	return 16384
}

// workOnDisc makes two sessions on a blank disc, with changes before, during and after, and
// a third that is staged only.
func workOnDisc(t *testing.T, rng *rand.Rand, media emu.Media, steps int) *course {
	dir := fastDir(t)
	start := recorddisk.NewImage("state", "drive")
	var others []burned
	switch media {
	case "":
	case foreign:
		made := filepath.Join(dir, "made")
		harness.Shell(t, `mkdir -p "$1"/state "$1"/drive "$1"/src/d && head -c 70000 /dev/urandom >"$1"/src/d/f && genisoimage -quiet -R -J -o "$1"/drive/disc "$1"/src && rm -r "$1"/src`, made)
		image, err := os.ReadFile(filepath.Join(made, "drive", "disc"))
		fatal(t, err)
		// Its descriptors will be replaced.
		const behind = history.Align
		others = append(others, burned{start: behind, bytes: image[behind*iso9660.BlockSize:]})
		start, err = recorddisk.Import(made)
		fatal(t, err)
	default:
		made := filepath.Join(dir, "made")
		fatal(t, os.MkdirAll(filepath.Join(made, "drive"), 0o700), os.Mkdir(filepath.Join(made, "state"), 0o700))
		fatal(t, emu.Create(filepath.Join(made, "drive", "disc"), media, emu.CreateOptions{Blocks: capacity(media)}))
		var err error
		start, err = recorddisk.Import(made)
		fatal(t, err)
	}
	disk := recorddisk.Mount(t, start, filepath.Join(dir, "mnt"))
	w := newWriter("/w", rng, disk)
	c := &course{writer: w, frozen: []int{0}, others: others}
	d, err := openDisc(disk.Dir, disk, session.Options{})
	fatal(t, err, disk.Mark("created"))
	w.tree = d.Tree()
	fatal(t, w.begin())
	work := func(n int) {
		t.Helper()
		for range n {
			fatal(t, w.step())
		}
	}
	for n := range 2 {
		work(steps)
		w.closeAll()
		c.frozen = append(c.frozen, len(w.states)-1)
		fatal(t, disk.Mark("commit begins %d", n+1))
		phases := map[string]bool{}
		report, err := d.Commit(background(), "test", func(p session.Progress) {
			if p.Phase != session.PhasePlanning && !phases[p.Phase] {
				phases[p.Phase] = true
				work(steps / 4)
			}
		})
		fatal(t, err)
		if !report.Burned || len(phases) != 3 {
			t.Fatalf("the commit made %+v and was seen in %v", report, phases)
		}
		fatal(t, disk.Mark("commit synced %d", n+1))
		b := burned{start: report.Start, blocks: report.Blocks, bytes: make([]byte, int(report.Blocks)*iso9660.BlockSize)}
		f, err := os.Open(filepath.Join(disk.Dir, "drive", "disc"))
		fatal(t, err)
		_, err = f.ReadAt(b.bytes, int64(b.start)*iso9660.BlockSize)
		fatal(t, err, f.Close())
		c.sessions = append(c.sessions, b)
	}
	work(steps / 4)
	w.closeAll()
	fatal(t, d.Close(background()), w.promised())
	c.history = disk.Stop(t)
	return c
}

func fatal(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// expected is what may be found after a cut.
type expected struct {
	created  bool     // staging had been made
	tree     []string // states that a mount may show
	disc     []string // states that the disc alone may show
	sessions []burned // that must be on the disc
}

// expect says what may be found between two moments of a history.
func (c *course) expect(first, last bounds, created bool) expected {
	b := last.within(first)
	w, commits := b[c.writer.dir], b["commit"]
	e := expected{created: created, tree: c.writer.states[w.synced : w.begun+1], sessions: slices.Concat(c.others, c.sessions[:commits.synced])}
	for _, n := range c.frozen[commits.synced : commits.begun+1] {
		e.disc = append(e.disc, c.writer.states[n])
	}
	return e
}

var ways = []struct {
	name         string
	often        float64 // of how many states this one is made
	state, drive func() recorddisk.Survival
}{
	{"kill", 1, recorddisk.All, recorddisk.All},
	{"synced only", 1, recorddisk.Synced, recorddisk.Synced},
	{"journalled", 0.5, recorddisk.Journalled, recorddisk.Synced},
	{"synced only and the drive keeps its power", 0.5, recorddisk.Synced, recorddisk.All},
	{"kill and the drive loses its power", 0.5, recorddisk.All, recorddisk.Synced},
}

// eachCut calls inspect with the states that a history can leave, and with the bounds at the
// first and last moment at which they can be found.
// share is how many of them are made; kills and strict power cuts are all made if it is 1.
func eachCut(h *recorddisk.History, rng *rand.Rand, share, chances float64, enough func() bool, inspect func(c cut, first, last bounds, created bool)) {
	type run struct {
		cut   cut
		first bounds
		v     [4]int
	}
	runs := map[string]*run{}
	now, created := bounds{}, false
	player := h.Player()
	for op := player.Next(); op != nil && !enough(); op = player.Next() {
		before, createdBefore := now.clone(), created
		now.see(op)
		created = created || op.Kind == recorddisk.Mark && op.Name == "created"
		s, d := player.Versions("state"), player.Versions("drive")
		for _, way := range ways {
			v := map[string][4]int{
				"kill": {s.All, d.All}, "synced only": {s.Synced, d.Synced}, "journalled": {s.Journalled, d.Synced},
			}[way.name]
			switch way.name {
			case "synced only and the drive keeps its power":
				v = [4]int{s.Synced, d.All}
			case "kill and the drive loses its power":
				v = [4]int{s.All, d.Synced}
			}
			if r := runs[way.name]; r != nil && r.v == v {
				continue
			} else if r != nil && r.cut.image != nil {
				inspect(r.cut, r.first, before, createdBefore)
			}
			r := &run{v: v, first: now.clone(), cut: cut{at: player.Pos(), op: op.String(), how: way.name}}
			if runs[way.name] = r; *whole && share == 1 || rng.Float64() < way.often*share {
				r.cut.image = player.State(map[string]recorddisk.Survival{"state": way.state(), "drive": way.drive()})
			}
		}
		for n := chances; rng.Float64() < n; n-- {
			state, how := chance(rng, 512, 4096)
			drive, how2 := chance(rng, iso9660.BlockSize)
			inspect(cut{at: player.Pos(), op: op.String(), how: how + "; " + how2,
				image: player.State(map[string]recorddisk.Survival{"state": state, "drive": drive})}, now.clone(), now.clone(), created)
		}
	}
	for _, r := range runs {
		if r.cut.image != nil {
			inspect(r.cut, r.first, now, created)
		}
	}
}

// TestCommit cuts the power after every operation of the life of a disc with two sessions:
// those of staging and those of the files that play the disc, which stand in one order.
func TestCommit(t *testing.T) {
	media := []emu.Media{"bd-r", ""}
	if *whole {
		media = []emu.Media{"bd-r", "cd-r", "dvd+r", "dvd-r", "bd-re", "dvd-rw-overwrite", "", foreign}
	}
	for _, m := range media {
		t.Run("media="+string(m), func(t *testing.T) {
			rng := harness.Rand(t)
			steps := 8
			if *whole {
				steps = 24
			}
			c := workOnDisc(t, rng, m, steps)
			p := newInspectors(t)
			defer p.end(c.history)
			var again []interrupted
			eachCut(c.history, rng, 1, *chances/4, p.tooMany, func(x cut, first, last bounds, created bool) {
				e := c.expect(first, last, created)
				x.check = func(dir string) error { return inspectDisc(dir, e) }
				p.work <- x
				if len(e.disc) > 1 {
					again = append(again, interrupted{x, e})
				}
			})
			times, share := cmp.Or(*rounds, 2), 0.25
			if *whole {
				times, share = cmp.Or(*rounds, 25), 1
			}
			rng.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
			for _, i := range again[:min(times, len(again))] {
				i.cutAgain(t, rng, share, p)
			}
		})
	}
}

// interrupted is what a power cut has left of a commit.
type interrupted struct {
	cut cut
	e   expected
}

// cutAgain lets the commit be brought to its end on a recorded disk, and cuts the power after
// the operations of that.
func (i interrupted) cutAgain(t *testing.T, rng *rand.Rand, share float64, p *inspectors) {
	t.Helper()
	dir := filepath.Join(fastDir(t), "mnt")
	p.forks.Lock()
	disk := recorddisk.Mount(t, i.cut.image, dir)
	p.forks.Unlock()
	found, err := finish(disk.Dir, disk, i.e)
	h := disk.Stop(t)
	if err != nil {
		t.Errorf("cut after operation %d, %s; %s; then recorded: %v", i.cut.at, i.cut.op, i.cut.how, err)
		return
	}
	t.Logf("cut after operation %d, %s; %s; then after each of %d operations %v", i.cut.at, i.cut.op, i.cut.how, len(h.Ops), h.Counts())
	eachCut(h, rng, share, share/4, p.tooMany, func(x cut, first, last bounds, _ bool) {
		e := expected{created: i.e.created, tree: []string{found}, disc: append(slices.Clone(i.e.disc), found), sessions: i.e.sessions}
		if last["commit"].synced > 0 {
			e.disc = []string{found}
		}
		x.how = fmt.Sprintf("again, %s, after operation %d, %s, with %s", x.how, i.cut.at, i.cut.op, i.cut.how)
		x.check = func(dir string) error { return inspectDisc(dir, e) }
		p.work <- x
	})
}

// inspectDisc looks at disc and staging as they were found after a cut, lets them be brought
// in order, and looks again.
func inspectDisc(dir string, e expected) error {
	if err := discAlone(dir, e.disc, len(e.sessions) == 0, "found"); err != nil {
		return err
	}
	if err := checkStagings(dir, e.created, false); err != nil {
		return fmt.Errorf("found: %w", err)
	}
	found, err := finish(dir, nil, e)
	if err != nil {
		return err
	}
	if err := discAlone(dir, []string{found}, false, "finished"); err != nil {
		return err
	}
	if err := errors.Join(checkStagings(dir, true, true), withDisc(dir, checkSessions), e.untouched(dir)); err != nil {
		return fmt.Errorf("finished: %w", err)
	}
	d, err := openDisc(dir, nil, session.Options{})
	if err != nil {
		return fmt.Errorf("mounted again: %w", err)
	}
	if !d.Tree().Pending().Empty() {
		err = fmt.Errorf("mounted again: %+v is pending", d.Tree().Pending())
	}
	return errors.Join(err, shows(d, []string{found}, "mounted again"), d.Close(background()))
}

// shows demands that the tree is one of some states.
func shows(d *session.Disc, states []string, when string) error {
	got, err := manifest(d.Tree(), "/w")
	if err != nil {
		return fmt.Errorf("%s: %w", when, err)
	}
	if slices.Contains(states, got) {
		return nil
	}
	best := states[0]
	for _, s := range states {
		if len(differences(s, got)) < len(differences(best, got)) {
			best = s
		}
	}
	return fmt.Errorf("%s: the tree is in none of %d states; it differs from the nearest by\n%s", when, len(states), differences(best, got))
}

// finish mounts the disc as everybody would, waits until a commit that was interrupted has
// been brought to its end, and burns what is left. It returns the state that was found.
func finish(dir string, disk *recorddisk.Disk, e expected) (found string, err error) {
	d, err := openDisc(dir, disk, session.Options{})
	if err != nil {
		return "", fmt.Errorf("mounted: %w", err)
	}
	defer func() { err = errors.Join(err, d.Close(background())) }()
	if err := shows(d, e.tree, "mounted"); err != nil {
		return "", err
	}
	if found, err = manifest(d.Tree(), "/w"); err != nil {
		return "", err
	}
	// A resume in the background tells nobody that it has ended.
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		s := d.Status()
		if s.State == session.Failed {
			return "", fmt.Errorf("the interrupted commit was not finished: %s", s.LastError)
		}
		if s.State != session.Burning && s.State != session.Verifying {
			break
		}
		if time.Since(begin) > 10*time.Minute {
			return "", errors.New("the interrupted commit does not come to an end")
		}
	}
	if err := shows(d, []string{found}, "resumed"); err != nil {
		return "", err
	}
	if disk != nil {
		if err := disk.Mark("commit begins 1"); err != nil {
			return "", err
		}
	}
	if _, err := d.Commit(background(), "test", nil); err != nil {
		return "", err
	}
	if disk != nil {
		if err := disk.Mark("commit synced 1"); err != nil {
			return "", err
		}
	}
	return found, shows(d, []string{found}, "committed")
}

// discAlone looks at the disc without its staging: any computer may be the next to see it.
// blank says that no session was ever finished.
func discAlone(dir string, states []string, blank bool, when string) error {
	d, err := openDisc(dir, nil, session.Options{ReadOnly: true, StateDir: filepath.Join(dir, "none")})
	if errors.Is(err, session.ErrNoISO) && blank && states[0] == "" {
		return nil // what is left of the first burn of all is no file system yet
	}
	if err != nil {
		return fmt.Errorf("the disc alone, %s: %w", when, err)
	}
	return errors.Join(shows(d, states, "the disc alone, "+when), d.Close(background()))
}

// checkStagings lets the checker look at the staging and at the disc that it builds upon.
// There is one if it was made.
func checkStagings(dir string, created, strict bool) (err error) {
	state := filepath.Join(dir, "state")
	found, err := staging.Find(background(), state, nil)
	if err != nil {
		return err
	}
	if len(found) > 1 || created && len(found) != 1 {
		return fmt.Errorf("there are %d stagings", len(found))
	}
	for _, id := range found {
		s, err := staging.OpenReadOnly(filepath.Join(state, "discs", id.UUID))
		if err != nil {
			return err
		}
		err = withDisc(dir, func(disc *blocks.Reader, info *medium.Info, sessions []history.Session) error {
			report, err := session.CheckStaging(background(), s, disc, info, sessions, quiet)
			if err != nil {
				return err
			}
			return damage(report, strict)
		})
		if err = errors.Join(err, s.Close()); err != nil {
			return err
		}
	}
	return nil
}

// withDisc calls do with the disc and its sessions.
func withDisc(dir string, do func(*blocks.Reader, *medium.Info, []history.Session) error) (err error) {
	e, err := emu.Open(filepath.Join(dir, "drive", "disc"), emu.Options{Create: true})
	if err != nil {
		return err
	}
	drive := mmc.NewDrive(e, quiet)
	defer func() { err = errors.Join(err, drive.Close()) }()
	info, err := medium.Inspect(background(), drive)
	if err != nil {
		return err
	}
	disc := blocks.New(drive)
	sessions, err := history.List(background(), info, disc)
	if err != nil {
		return err
	}
	return do(disc, info, sessions)
}

// checkSessions demands that the newest session has no fault and that its files have the
// MD5s that are recorded, and that what block 16 shows is the same.
func checkSessions(disc *blocks.Reader, info *medium.Info, sessions []history.Session) (err error) {
	look := func(start uint32, data bool) {
		for f, cerr := range check.Check(background(), disc, start, check.Options{Data: data}) {
			if cerr != nil {
				err = errors.Join(err, fmt.Errorf("the session at block %d: %w", start, cerr))
			} else {
				err = errors.Join(err, fmt.Errorf("the session at block %d: %v", start, f))
			}
		}
	}
	if last := len(sessions) - 1; last >= 0 {
		look(sessions[last].Start, true)
		if info.Kind == medium.Overwritable {
			look(0, false)
		}
	}
	return err
}

// untouched demands that the sessions that had been reported are what they were.
func (e *expected) untouched(dir string) (err error) {
	f, err := os.Open(filepath.Join(dir, "drive", "disc"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, b := range e.sessions {
		got := make([]byte, len(b.bytes))
		if _, err := f.ReadAt(got, int64(b.start)*iso9660.BlockSize); err != nil {
			return err
		}
		if !bytes.Equal(got, b.bytes) {
			return fmt.Errorf("the session at block %d was changed", b.start)
		}
	}
	return nil
}
