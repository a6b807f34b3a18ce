package session

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"burnfs/mmc"
	"burnfs/mmc/medium"
	"burnfs/session/commit"
	"burnfs/session/history"
	"burnfs/session/tree"
)

// Forecast is what the next session would hold and cost, as of one moment. Counts
// are blocks of 2048 bytes unless they are called bytes.
//
//	           Takes
//	           ├──────────────────────────────────────┐
//	… │ Gap │ tree │ new data │ checksums │ padding │ GapAfter │ Remains
//	        ↑ Start                                              ↑ NextStart
type Forecast struct {
	Time time.Time
	// Nothing says that nothing would be burned. Only Free is set then.
	Nothing bool
	// Resumes says that it is the session that was planned already and interrupted:
	// what was changed since is in the one after it. Kept is not known then.
	Resumes bool

	Session int // its number
	Start   uint32
	Blocks  uint32
	// Takes is Blocks with what the medium and older descriptors ask for besides.
	Takes int64
	// Tree, Data, Checksums and Padding are what Blocks consists of.
	Tree, Data, Checksums, Padding uint32
	Files, Dirs                    int64
	New, Kept                      commit.Amount
	Reused                         commit.Amount // new, and on the disc already, or recorded with another file
	Largest                        []commit.Share

	Gap int64 // between the last session and this one
	// GapAfter is what is lost behind it. The drive knows it before only where
	// GapExact says so; elsewhere it is an estimate on the safe side.
	GapAfter int64
	GapExact bool

	Free      int64  // from Start on, before it
	Remains   int64  // from NextStart on, after it; 0 if nothing
	NextStart uint32 // of the session after it; 0 if there can be none
	Lacks     int64  // what does not fit; 0 if it does

	// SpeedKBps is the fastest speed that the drive offers, or the one asked for, in
	// 1000 bytes a second; 0 if it is not known. Burning is the time at that speed,
	// without reading back.
	SpeedKBps int
	Burning   time.Duration
}

// forecasts are those under way. They hold no lock that a commit needs for longer than
// it takes to look at the tree, and give way to it.
type forecasts struct {
	mu     sync.Mutex
	nextID int
	cancel map[int]context.CancelCauseFunc
}

// begin returns the context of a forecast, and what to call at its end.
func (f *forecasts) begin(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cancel == nil {
		f.cancel = map[int]context.CancelCauseFunc{}
	}
	id := f.nextID
	f.nextID++
	f.cancel[id] = cancel
	return ctx, func() {
		f.mu.Lock()
		delete(f.cancel, id)
		f.mu.Unlock()
		cancel(nil)
	}
}

// end makes those under way end soon.
func (f *forecasts) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, cancel := range f.cancel {
		cancel(errBurning())
	}
}

func errBurning() error {
	return problem(ErrBurning, nil, "a session is being burned; what the one after it would be can be told when it is done ('burnfs sync' waits)")
}

// Forecast tells what a commit would burn now. It changes nothing, and changes go on
// meanwhile. A commit does not wait for it: it makes it end with ErrBurning.
func (d *Disc) Forecast(ctx context.Context) (*Forecast, error) {
	d.mu.Lock()
	reason, closed := d.readOnlyReason, d.life.Err() != nil
	if !closed && reason == "" {
		d.background.Add(1)
		defer d.background.Done()
	}
	d.mu.Unlock()
	switch {
	case closed:
		return nil, errUnmounted()
	case reason != "":
		return nil, problem(ErrNotAppendable, nil, "nothing can be burned: %s", reason)
	}
	ctx, done := d.forecasts.begin(ctx)
	defer done()
	defer context.AfterFunc(d.life, done)()
	f, err := d.forecast(ctx)
	switch cause := context.Cause(ctx); {
	case err != nil && errors.Is(cause, ErrBurning):
		return nil, cause
	case err != nil && d.life.Err() != nil:
		return nil, errUnmounted()
	}
	return f, err
}

func errUnmounted() error { return problem(ErrClosed, nil, "the disc was unmounted meanwhile") }

func (d *Disc) forecast(ctx context.Context) (*Forecast, error) {
	f, frozen, opt, err := d.beginForecast(ctx)
	if err != nil || frozen == nil {
		return f, err
	}
	defer frozen.Release()
	if err = d.recorded(ctx, opt.base, &opt.Options); err != nil {
		return nil, err
	}
	o, err := commit.Look(ctx, frozen, opt.Options)
	if err != nil {
		return nil, err
	}
	f.Files, f.Dirs, f.New, f.Kept, f.Reused, f.Largest = o.Files, o.Dirs, o.New, o.Kept, o.Reused, o.Largest
	opt.outlook(f, o.Header.TreeBlocks, o.Header.DataBlocks, o.Header.Blocks, o.Header.ChecksumBlocks())
	if f.SpeedKBps, err = d.writeSpeed(ctx); err != nil {
		return nil, err
	}
	f.Burning = burningTime(opt.info.Profile, f.Takes, f.SpeedKBps)
	return f, nil
}

// forecastOptions are commit.Options with what they are made of.
type forecastOptions struct {
	commit.Options
	base     *base
	info     *medium.Info
	sessions []history.Session
	free     int64
	atOnce   bool // the mode of recording
	final    bool // the session closes the disc
}

// beginForecast looks at the tree and the disc at one moment. frozen is nil if that
// tells all there is to tell.
func (d *Disc) beginForecast(ctx context.Context) (f *Forecast, frozen *tree.Frozen, opt forecastOptions, err error) {
	if !d.committing.TryLock() {
		return nil, nil, opt, errBurning()
	}
	defer d.committing.Unlock()
	if d.running.Load() > 0 {
		return nil, nil, opt, errBurning() // one waits for us
	}
	f = &Forecast{Time: d.opt.Now(), Free: max(d.freeBlocks(), 0), Session: len(d.sessions) + 1}
	opt = forecastOptions{
		base: d.base, info: d.info, sessions: d.sessions, free: f.Free,
		atOnce: d.opt.Mode.AtOnce(), final: d.opt.Finalize && d.info.Kind != medium.Overwritable,
	}
	if j := d.job; j != nil {
		p := j.plan
		f.Resumes, f.Session, f.Files, f.Dirs = true, p.Mark.Session, p.Mark.Files, p.Mark.Dirs
		f.New, f.Reused = commit.Amount{Files: p.NewFiles, Bytes: p.NewBytes}, p.Reused
		opt.Options = commit.Options{Start: p.Start(), SaveHead: p.SaveHead, Overwritable: p.Overwritable}
		opt.outlook(f, p.Header.TreeBlocks, p.Header.DataBlocks, p.Blocks(), p.Header.ChecksumBlocks())
		return f, nil, opt, nil
	}
	if d.tree.Pending().Empty() {
		f.Nothing = true
		return f, nil, opt, nil
	}
	if d.info.OpenTrack != nil {
		return nil, nil, opt, problem(ErrNotAppendable, nil, "an interrupted burn has to be closed before anybody knows where the next session begins; 'burnfs sync' does that")
	}
	if opt.Options, err = d.planOptions(ctx); err != nil {
		return nil, nil, opt, err
	}
	frozen, err = d.tree.Peek(ctx)
	return f, frozen, opt, err
}

// outlook fills in where the session would be and what it would leave.
func (o *forecastOptions) outlook(f *Forecast, tree, data, blocks uint32, checksums int64) {
	f.Start, f.Blocks = o.Start, blocks
	f.Tree, f.Data, f.Checksums = tree, data, uint32(checksums)
	f.Padding = blocks - tree - data - f.Checksums
	f.Takes = needed(o.info, blocks, o.SaveHead)
	f.Lacks = max(f.Takes-o.free, 0)
	if o.atOnce && o.info.Profile.IsCD() {
		f.Takes = max(int64(blocks), int64(o.info.MinTrack)) // the recorder needs no padding
	}
	f.Gap = o.gapBefore()
	end := int64(o.Start) - o.copyBlocks() + f.Takes
	next := end
	switch {
	case o.Overwritable:
		next = (end + history.Align - 1) / history.Align * history.Align
		f.GapExact = true
	case o.info.Profile.IsCD():
		if !o.atOnce {
			next += runOut
		}
		next += int64(o.info.Gap)
		f.GapExact = true
	default:
		next += int64(o.info.Gap)
	}
	f.GapAfter = next - end
	if f.Remains = max(o.free-f.Takes-f.GapAfter, 0); f.Remains > 0 && !o.final {
		f.NextStart = uint32(next)
	}
}

// runOut is what a drive adds to a CD track that is not written at once (MMC-5 4.2.3.5.2).
const runOut = 2

// copyBlocks is what lies before Start for a copy of older descriptors.
func (o *forecastOptions) copyBlocks() int64 {
	if o.SaveHead == 0 {
		return 0
	}
	return history.Align
}

// gapBefore is what lies between the end of the last session and the next one.
func (o *forecastOptions) gapBefore() int64 {
	var end uint32
	if o.Overwritable {
		for _, s := range o.sessions {
			end = max(end, s.End())
		}
	} else if last := o.info.LastComplete(); last != nil {
		end = last.Start() + last.Blocks()
	}
	return max(int64(o.Start)-int64(end), 0)
}

// writeSpeed is the speed that the drive will burn at as far as anybody knows, in kB/s.
// A drive that does not tell is no error.
func (d *Disc) writeSpeed(ctx context.Context) (int, error) {
	if d.opt.SpeedKBps > 0 {
		return d.opt.SpeedKBps, nil
	}
	var offered []uint32
	speeds, err := d.drive.GetWriteSpeeds(ctx)
	if err != nil && !errors.Is(err, mmc.ErrIllegalRequest) {
		return 0, err
	}
	for _, s := range speeds.Speeds() {
		offered = append(offered, s.WriteSpeed)
	}
	if len(offered) == 0 {
		page, err := d.drive.SenseCapabilities(ctx)
		if err != nil && !errors.Is(err, mmc.ErrIllegalRequest) {
			return 0, err
		}
		return int(page.WriteSpeed()), nil
	}
	return int(slices.Max(offered)), nil
}

// burningTime is how long so many blocks take at a speed. Of a CD drives count the
// whole sectors of 2352 bytes.
func burningTime(p mmc.Profile, blocks int64, kBps int) time.Duration {
	if kBps <= 0 {
		return 0
	}
	sector := int64(blockSize)
	if p.IsCD() {
		sector = 2352
	}
	return time.Duration(blocks*sector) * time.Second / 1000 / time.Duration(kBps)
}
