package recorder

import (
	"context"
	"errors"
	"fmt"

	"burnfs/mmc"
	"burnfs/mmc/medium"
)

// rules is what a family of sequential media does differently from the others.
type rules interface {
	// chunk returns how many blocks are sent with one WRITE.
	chunk() uint32
	// tail returns how many blocks of zeros follow the stream.
	tail() uint32
	// begin sends what the family needs before the first WRITE.
	begin(ctx context.Context, r *sequential) error
	// resumable says whether a track can be continued after an interruption.
	resumable() bool
	// closeTrackFirst says whether CLOSE SESSION needs a CLOSE TRACK before it.
	closeTrackFirst() bool
	// closeSession returns the close function that closes session or disc.
	closeSession(ctx context.Context, r *sequential, keepAppendable bool) (mmc.CloseFunction, error)
}

// blockSender is implemented by rules whose blocks are not sent as they are.
type blockSender interface {
	// hostBlock returns how many bytes are sent for a block.
	hostBlock() int
	// sendBlocks gives blocks of the stream to the drive with one WRITE.
	sendBlocks(ctx context.Context, d *mmc.Drive, lba uint32, p []byte) error
}

// selfClosing is implemented by rules of recordings that the drive closes by
// itself after the last block. A drive that does not is told to.
type selfClosing interface {
	// closed does what is left to do when the drive has closed the session.
	closed(ctx context.Context, r *sequential)
}

// explainer is implemented by rules that know what an error of a WRITE means which
// comes when the drive has accepted so many blocks.
type explainer interface {
	explain(err error, accepted uint32) error
}

// rulesOf returns the rules of the medium's family in the wanted mode.
func rulesOf(info *medium.Info, opt Options) (rules, error) {
	switch info.Profile {
	case mmc.ProfileCDR, mmc.ProfileCDRW:
		return newCD(info, opt)
	case mmc.ProfileDVDR, mmc.ProfileDVDRWSeq:
		return newDVDR(info, opt)
	case mmc.ProfileDVDPlusR, mmc.ProfileDVDPlusRDL:
		return dvdPlusR{}, onlyDefault(info, opt)
	case mmc.ProfileBDRSRM:
		return bdR{}, onlyDefault(info, opt)
	}
	return nil, &NotWritableError{Reason: fmt.Sprintf("There is no way known to write a %v.", info.Profile)}
}

// onlyDefault refuses modes for media that are written in one way only.
func onlyDefault(info *medium.Info, opt Options) error {
	if opt.Mode != ModeDefault {
		return wrongMode(info.Profile, opt.Mode)
	}
	return nil
}

// sequential records at the next writable address only.
//
//	start            sent              sent+len(buf)        limit
//	├────────────────┼─────────────────┼────────────────────┤
//	│ accepted by    │ collected, not  │ free               │
//	│ the drive      │ yet sent        │                    │
type sequential struct {
	session
	rules
	start uint32
	sent  uint32 // the next block that the drive gets
	limit uint32 // first block that cannot be written
	buf   []byte
	// trackClosed says that an interrupted burn had got as far as closing the
	// track, so that only the session is left to close.
	trackClosed bool
	ended       bool // Sync or Suspend was called
}

func newSequential(d *mmc.Drive, info *medium.Info, opt Options, rules rules) (*sequential, error) {
	r := &sequential{session: newSession(d, info, opt), rules: rules, start: info.NWA, sent: info.NWA, limit: info.NWA + info.Free}
	t := info.OpenTrack
	switch {
	case t == nil && opt.Resume:
		return nil, ErrNothingToResume
	case t != nil && !opt.Resume:
		return nil, ErrInterrupted
	case t == nil && opt.Mode.AtOnce():
		if err := r.fixSize(); err != nil {
			return nil, err
		}
		return r, nil
	case t == nil:
		return r, nil
	}
	r.start = t.Start
	switch {
	case !rules.resumable() || opt.Mode.AtOnce() || t.Reserved:
		return nil, ErrNotResumable
	case t.Open && t.NWAValid && linked(t):
		return nil, ErrNotResumable
	case t.Open && t.NWAValid:
		r.sent, r.limit = t.NWA, t.NWA+t.Free
	case t.Damaged:
		return nil, ErrNotResumable
	default:
		r.trackClosed = true
		r.sent, r.limit = t.Start+t.Blocks, t.Start+t.Blocks
	}
	return r, nil
}

// linked reports whether the drive would leave blocks out between the last one it
// has recorded and the next: the linking loss of a DVD-R that was not written
// without a break (MMC-5 4.3.3), or the rest of a unit that was filled up. Blocks of
// the stream would be missing there.
func linked(t *medium.Track) bool {
	return t.LastRecordedValid && t.LastRecorded >= t.Start && t.LastRecorded < t.NWA && t.NWA-t.LastRecorded > 1
}

// fixSize sets the size that the drive is told before the first block.
func (r *sequential) fixSize() error {
	if r.opt.Blocks == 0 {
		return ErrSizeNeeded
	}
	size := max(uint64(r.opt.Blocks), uint64(r.info.MinTrack))
	unit := uint64(r.info.WriteUnit)
	size = (size + unit - 1) / unit * unit
	if size > uint64(r.limit-r.start) {
		return &WriteError{LBA: r.start, Blocks: r.opt.Blocks, Err: ErrFull}
	}
	r.limit = r.start + uint32(size)
	return nil
}

func (r *sequential) Start() uint32 { return r.start }

func (r *sequential) NextAddress() uint32 { return r.sent + uint32(len(r.buf)/mmc.BlockSize) }

func (r *sequential) Begin(ctx context.Context) error {
	if err := r.checkUnchanged(ctx); err != nil {
		return err
	}
	if r.trackClosed {
		return nil
	}
	t, err := medium.LastTrack(ctx, r.d)
	if err != nil {
		return err
	}
	if !t.NWAValid || t.NWA != r.sent {
		return fmt.Errorf("%w: block %d was planned, but the drive would write %s", ErrMoved, r.sent, nwaOf(t))
	}
	if err := r.setSpeed(ctx); err != nil {
		return err
	}
	if err := r.begin(ctx, r); err != nil {
		return fmt.Errorf("preparing the drive for writing: %w", err)
	}
	return nil
}

func nwaOf(t *medium.Track) string {
	if !t.NWAValid {
		return "nowhere"
	}
	return fmt.Sprintf("at block %d", t.NWA)
}

func (r *sequential) Write(ctx context.Context, lba uint32, p []byte) error {
	if len(p)%mmc.BlockSize != 0 {
		return fmt.Errorf("%w: %d bytes are not a whole number of blocks", ErrOrder, len(p))
	}
	if r.trackClosed && len(p) > 0 {
		return fmt.Errorf("the interrupted burn closed its track at block %d: %w", r.sent, ErrNotResumable)
	}
	if next := r.NextAddress(); lba != next || r.ended {
		return fmt.Errorf("%w: block %d was given, but block %d comes next", ErrOrder, lba, next)
	}
	if n := uint64(len(p) / mmc.BlockSize); uint64(lba)+n > uint64(r.limit) {
		return &WriteError{LBA: lba, Blocks: uint32(n), Err: ErrFull}
	}
	for len(p) > 0 {
		// Chunks end where they would if the whole stream had been sent in
		// chunks from its start, whatever an interrupted burn has left.
		room := int(r.chunk()-(r.sent-r.start)%r.chunk())*mmc.BlockSize - len(r.buf)
		n := min(room, len(p))
		if n == room && len(r.buf) == 0 {
			if err := r.send(ctx, p[:n]); err != nil {
				return err
			}
		} else {
			r.buf = append(r.buf, p[:n]...)
			if n == room {
				if err := r.flush(ctx); err != nil {
					return err
				}
			}
		}
		p = p[n:]
	}
	return nil
}

// flush sends what was collected. It is kept if that fails.
func (r *sequential) flush(ctx context.Context) error {
	for len(r.buf) > 0 {
		before := r.sent
		err := r.send(ctx, r.buf)
		r.buf = append(r.buf[:0], r.buf[int(r.sent-before)*mmc.BlockSize:]...)
		if err != nil {
			return err
		}
	}
	return nil
}

// writeRetries bounds how often blocks are sent again that the drive does not
// have.
const writeRetries = 3

// insist is the patience with commands that do no harm when given twice.
var insist = mmc.Patience{Retries: writeRetries, Wait: mmc.WriteLimit, Work: mmc.CloseLimit}

// send gives blocks to the drive and advances r.sent by as many as it took. If
// the outcome of a WRITE is not known, the drive is asked where it would go on:
// only what it does not have is sent again.
func (r *sequential) send(ctx context.Context, p []byte) error {
	retries := writeRetries
	for len(p) > 0 {
		piece := p[:min(len(p), r.mostAtOnce())]
		blocks := uint32(len(piece) / mmc.BlockSize)
		err := r.sendOnce(ctx, r.sent, piece)
		if err == nil {
			r.sent += blocks
			p = p[len(piece):]
			continue
		}
		fail := func(err error) error { return newWriteError(r.start, r.sent, blocks, err) }
		if ctx.Err() != nil || !r.uncertain(err) {
			return fail(r.explain(err))
		}
		r.opt.Log.Warn("a write ended in doubt; asking the drive where it stands", "block", r.sent, "blocks", blocks, "err", err)
		nwa, aerr := r.askNWA(ctx)
		if aerr != nil {
			return fail(errors.Join(err, aerr))
		}
		switch {
		case nwa < r.sent:
			return fail(fmt.Errorf("%w: it would go on at block %d instead of block %d: %w", ErrLost, nwa, r.sent, err))
		case nwa-r.sent > blocks:
			return fail(fmt.Errorf("%w: the drive went on to block %d by itself: %w", ErrOrder, nwa, err))
		}
		p = p[int(nwa-r.sent)*mmc.BlockSize:]
		start := r.sent
		r.sent = nwa
		if nwa < start+blocks {
			if retries--; retries < 0 {
				return fail(err)
			}
		}
	}
	return nil
}

// explain adds what the family knows about an error of a WRITE.
func (r *sequential) explain(err error) error {
	if e, ok := r.rules.(explainer); ok {
		return e.explain(err, r.sent-r.start)
	}
	return err
}

// mostAtOnce returns how many bytes of the stream one WRITE can take.
func (r *sequential) mostAtOnce() int {
	if s, ok := r.rules.(blockSender); ok {
		return max(1, r.d.MaxTransfer()/s.hostBlock()) * mmc.BlockSize
	}
	return r.d.MaxTransfer()
}

// sendOnce gives blocks to the drive with one WRITE, when it takes them.
func (r *sequential) sendOnce(ctx context.Context, lba uint32, p []byte) error {
	if s, ok := r.rules.(blockSender); ok {
		return s.sendBlocks(ctx, r.d, lba, p)
	}
	return writeWhenReady(ctx, r.d, lba, p)
}

// uncertain reports whether the error leaves open if the drive took the blocks,
// and nothing speaks against going on.
func (r *sequential) uncertain(err error) bool {
	if te := (*mmc.TransportError)(nil); errors.As(err, &te) {
		return true
	}
	return mmc.Advice(err) == mmc.Retry
}

// writeWhenReady sends one WRITE(10), again and again while the drive says that
// it is busy with earlier ones and has not taken this one (2/04/08).
func writeWhenReady(ctx context.Context, d *mmc.Drive, lba uint32, p []byte) error {
	return mmc.Patience{Wait: mmc.WriteLimit}.Repeat(ctx, func() error { return d.Write10(ctx, lba, p) })
}

// askNWA waits until the drive is ready and asks where the track goes on.
func (r *sequential) askNWA(ctx context.Context) (uint32, error) {
	if err := r.d.WaitReady(ctx, "a write", mmc.ReadyLimit); err != nil {
		return 0, err
	}
	if r.d.MediumChanges() != r.info.Changes {
		return 0, ErrChanged
	}
	t, err := medium.LastTrack(ctx, r.d)
	if err != nil {
		return 0, err
	}
	if r.opt.Mode.AtOnce() && t.Reserved && !t.NWAValid && !t.Damaged && t.Start == r.start {
		return t.Start + t.Blocks, nil // all of it is written
	}
	if !t.NWAValid {
		return 0, fmt.Errorf("%w: track %d cannot be continued", ErrLost, t.Number)
	}
	return t.NWA, nil
}

func (r *sequential) Sync(ctx context.Context) error {
	if !r.trackClosed && !r.ended {
		if err := r.padTo(ctx, r.streamEnd()); err != nil {
			return err
		}
		r.ended = true
	}
	return r.sync(ctx)
}

// streamEnd returns where the track ends: behind stream and tail, on the border
// of a unit, and not before the least length of a track, as far as there is room.
func (r *sequential) streamEnd() uint32 {
	if r.opt.Mode.AtOnce() {
		return r.limit
	}
	unit := r.info.WriteUnit
	end := max(r.NextAddress()+r.tail(), r.start+r.info.MinTrack)
	end = r.start + (end-r.start+unit-1)/unit*unit
	return max(r.NextAddress(), min(end, r.limit))
}

func (r *sequential) padTo(ctx context.Context, end uint32) error {
	zeros := make([]byte, mmc.MaxTransfer)
	for next := r.NextAddress(); next < end; next = r.NextAddress() {
		n := min(int(end-next)*mmc.BlockSize, len(zeros))
		if err := r.Write(ctx, next, zeros[:n]); err != nil {
			return err
		}
	}
	return r.flush(ctx)
}

func (r *sequential) sync(ctx context.Context) error {
	if r.trackClosed {
		return nil
	}
	return synchronize(ctx, r.d)
}

// synchronize waits until the drive has written its cache to the medium.
func synchronize(ctx context.Context, d *mmc.Drive) error {
	const what = "SYNCHRONIZE CACHE"
	// Giving the command twice does no harm, and a drive that is busy with the
	// last WRITE may refuse it at first.
	if err := insist.Repeat(ctx, func() error { return d.SynchronizeCache(ctx, true) }); err != nil {
		return fmt.Errorf("writing the drive's buffer to the disc: %w", err)
	}
	if err := d.WaitReady(ctx, what, mmc.CloseLimit); err != nil {
		return fmt.Errorf("writing the drive's buffer to the disc: %w", err)
	}
	if err := d.LateError(); err != nil {
		return fmt.Errorf("writing the drive's buffer to the disc: %w", err)
	}
	return nil
}

func (r *sequential) Suspend(ctx context.Context) error {
	defer r.d.Release()
	if r.trackClosed || r.ended {
		return nil
	}
	unit := int(r.info.WriteUnit) * mmc.BlockSize
	var err error
	if r.opt.Mode.AtOnce() {
		// Whatever the drive has, the recording cannot be continued.
		r.buf = r.buf[:0]
	} else if !r.resumable() {
		// The drive ends the track now, and it must have its least length.
		err = r.padTo(ctx, max(r.NextAddress(), min(r.start+r.info.MinTrack, r.limit)))
	} else {
		r.buf = r.buf[:len(r.buf)-len(r.buf)%unit]
		err = r.flush(ctx)
	}
	// What the drive has taken is made durable, whatever became of the rest.
	r.ended = true
	err = errors.Join(err, r.sync(ctx))
	r.freeSpeed(ctx)
	return err
}
