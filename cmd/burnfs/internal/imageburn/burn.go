package imageburn

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/iso9660"
	"burnfs/iso9660/image"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
	"burnfs/session/history"
)

// Request says what to burn and how.
type Request struct {
	Image io.Reader
	Size  int64 // of the image in bytes; -1 if it is not known
	// Close closes the disc for good; without it more sessions can follow.
	Close bool
	// Resume goes on with a burn of the same image that was interrupted.
	Resume    bool
	SpeedKBps int // 1000 bytes per second; 0 leaves it to the drive
	// Mode is how a sequential medium is written, where there is a choice.
	Mode recorder.Mode
	// XA writes the first data session of a CD as CD-ROM XA.
	XA       bool
	Progress func(control.Progress)
	Log      *slog.Logger
}

// chunkBlocks is how much is handed to the recorder at a time.
const chunkBlocks = 128

// runOut is how many blocks at the end of a CD image may be unreadable if they
// are zeros: the padding is there to be lost (see mkisofs -pad).
const runOut = 150

// Burn writes the image as the next session of d, reads it back and compares.
func Burn(ctx context.Context, d *discs.Disc, req Request) (*control.Report, error) {
	b := &burn{d: d, req: req, src: &peeker{r: req.Image}}
	if req.Resume != (d.Info.OpenTrack != nil) {
		if req.Resume {
			return nil, recorder.ErrNothingToResume
		}
		return nil, recorder.ErrInterrupted
	}
	if r := d.Info.NotWritableReason; r != "" {
		return nil, &recorder.NotWritableError{Reason: r}
	}
	if err := b.place(); err != nil {
		return nil, err
	}
	if err := b.fits(); err != nil {
		return nil, err
	}
	if b.newHead && len(d.Sessions) > 0 && !history.HeadReserved(d.Sessions) {
		req.Log.Warn("the disc began as an image at block 0, whose descriptors are replaced: what it shows then is the new session alone, and the older one cannot be chosen any more (a mount of burnfs keeps both)")
	}
	if err := b.write(ctx); err != nil {
		return nil, err
	}
	if err := b.verify(ctx); err != nil {
		return nil, err
	}
	if b.newHead {
		if err := b.writeHead(ctx); err != nil {
			return nil, fmt.Errorf("making the new session the one that is shown: %w", err)
		}
	}
	if err := d.Refresh(ctx); err != nil {
		return nil, err
	}
	rep := &control.Report{Burned: true, Start: b.start, Blocks: b.written, NewDataBytes: int64(b.written) * iso9660.BlockSize, Session: len(d.Sessions)}
	for _, s := range d.Sessions {
		if s.Start == b.start {
			rep.Session = s.Number
		}
	}
	return rep, nil
}

type burn struct {
	d   *discs.Disc
	req Request
	src *peeker

	origin  origin
	start   uint32
	room    uint32 // blocks from start on
	newHead bool   // the descriptors at block 16 are replaced at the end
	head    []byte // the image's first 32 blocks, for that

	written uint32 // blocks
	sum     blockSum
}

// place decides where the image goes.
func (b *burn) place() (err error) {
	info := b.d.Info
	next := info.NWA
	if info.OpenTrack != nil {
		next = info.OpenTrack.Start
	}
	if info.Kind == medium.Overwritable {
		if next, err = history.Next(info, b.d.Sessions); err != nil {
			return err
		}
	}
	if b.origin, err = inspect(b.src, next, 0); err != nil && !errors.Is(err, errNoRoot) {
		return err
	}
	if err != nil {
		return failure.New(exitcode.Disc, err, "the image is damaged or not complete: "+err.Error(), "Nothing was written.", "Make the image again.")
	}
	b.start = next
	if info.Kind == medium.Overwritable && len(b.d.Sessions) == 0 && (!b.origin.iso || b.origin.start == 0) {
		b.start = 0
	}
	if b.origin.iso && b.origin.start != b.start {
		what := fmt.Sprintf("the image was made for block %d, and the next session of this disc starts at block %d", b.origin.start, b.start)
		how := "Make it with 'burnfs image' without -C."
		if last, n, err := history.MSInfo(info, b.d.Sessions); err == nil {
			how = fmt.Sprintf("Make it with 'burnfs image -C %d,%d -M DISC' (or the same options of mkisofs).", last, n)
		} else if b.start != 0 {
			how = fmt.Sprintf("Make it with 'burnfs image -C 0,%d'.", b.start)
		}
		return failure.New(exitcode.Disc, nil, what, "Nothing was written: its files would not be found there.", how)
	}
	if info.Kind == medium.Overwritable {
		b.room = info.Free - min(info.Free, b.start)
		if b.newHead = b.start != 0 && b.origin.iso; b.newHead {
			last, err := b.src.block(image.SuperblockBlocks - 1)
			if err != nil {
				return err
			}
			if last == nil {
				return failure.New(exitcode.Disc, nil, "the image ends before its descriptors do", "Nothing was written.", "Make the image again.")
			}
			b.head = append([]byte(nil), b.src.head[:image.SuperblockBlocks*iso9660.BlockSize]...)
		}
		return nil
	}
	b.room = info.Free
	if info.OpenTrack != nil {
		b.room += info.OpenTrack.NWA - min(info.OpenTrack.NWA, info.OpenTrack.Start)
	}
	return nil
}

// fits refuses an image that is too large, as far as its size is known.
func (b *burn) fits() error {
	need := int64(b.origin.blocks)
	if b.req.Size >= 0 {
		need = (b.req.Size + iso9660.BlockSize - 1) / iso9660.BlockSize
		if need == 0 {
			return failure.New(exitcode.Usage, nil, "the image is empty", "Nothing was written.", "")
		}
	}
	if need > int64(b.room) {
		return failure.New(exitcode.Full, nil, fmt.Sprintf("the image has %d blocks of 2 KiB and the disc has room for %d", need, b.room), "Nothing was written.", "Use a disc with more room, or record less.")
	}
	return nil
}

func (b *burn) write(ctx context.Context) error {
	rec, err := recorder.New(b.d.Drive, b.d.Info, recorder.Options{
		Log: b.req.Log, SpeedKBps: b.req.SpeedKBps, Resume: b.req.Resume,
		Mode: b.req.Mode, Blocks: b.size(), Final: b.req.Close, XA: b.req.XA,
	})
	if err != nil {
		return err
	}
	sequential := b.d.Info.Kind != medium.Overwritable
	if sequential && rec.Start() != b.start {
		return failure.New(exitcode.Disc, nil, fmt.Sprintf("the drive would write at block %d instead of %d", rec.Start(), b.start), "Nothing was written.", "Run 'burnfs msinfo' and make the image again.")
	}
	if err := b.d.PreventAllowMediumRemoval(ctx, true); err != nil { // closing the drive unlocks it
		b.req.Log.Warn("the drive's door cannot be locked; do not open it while the disc is burned", "err", err)
	}
	if err := rec.Begin(ctx); err != nil {
		return err
	}
	b.sum.Hash = sha256.New()
	err = b.stream(ctx, rec, sequential)
	if err != nil {
		// What the drive has stays; on most media the burn can be resumed.
		if serr := rec.Suspend(context.WithoutCancel(ctx)); serr != nil {
			b.req.Log.Warn("the interrupted burn could not be left in order", "err", serr)
		}
		return b.broken(err)
	}
	b.req.Progress(control.Progress{Phase: "closing"})
	// From here on an interruption would only leave the session open.
	ctx = context.WithoutCancel(ctx)
	if err := rec.Sync(ctx); err != nil {
		return b.broken(err)
	}
	if err := rec.Close(ctx, !b.req.Close); err != nil {
		return b.broken(err)
	}
	return nil
}

// size returns the size of the image in blocks, 0 if it is not known. Standard
// input may hold less than the descriptors of the image say.
func (b *burn) size() uint32 {
	if b.req.Size < 0 {
		return 0
	}
	return uint32((b.req.Size + iso9660.BlockSize - 1) / iso9660.BlockSize)
}

// stream hands the image to the recorder.
func (b *burn) stream(ctx context.Context, rec recorder.Recorder, sequential bool) error {
	buf := make([]byte, chunkBlocks*iso9660.BlockSize)
	total := max(b.req.Size, int64(b.origin.blocks)*iso9660.BlockSize)
	for {
		n, err := b.src.Read(buf)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading the image: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if rest := n % iso9660.BlockSize; rest != 0 { // only at the end
			clear(buf[n : n+iso9660.BlockSize-rest])
			n += iso9660.BlockSize - rest
		}
		p := buf[:n]
		if blocks := uint32(n / iso9660.BlockSize); blocks > b.room-b.written {
			return recorder.ErrFull
		}
		summed := b.sum.alongside(p)
		lba := b.start + b.written
		b.written += uint32(n / iso9660.BlockSize)
		if skip := rec.NextAddress(); sequential && lba < skip {
			have := min(int64(len(p)), int64(skip-lba)*iso9660.BlockSize)
			p, lba = p[have:], lba+uint32(have/iso9660.BlockSize)
		}
		if len(p) > 0 {
			err = rec.Write(ctx, lba, p)
		}
		<-summed
		if err != nil {
			return err
		}
		b.req.Progress(control.Progress{Phase: "burning", Done: int64(b.written) * iso9660.BlockSize, Total: total})
	}
	if b.written == 0 {
		return failure.New(exitcode.Usage, nil, "the image is empty", "Nothing was written.", "")
	}
	return nil
}

// broken explains a burn that did not come to its end.
func (b *burn) broken(err error) error {
	if _, ok := errors.AsType[*failure.Failure](err); ok {
		return err
	}
	code := exitcode.Commit
	if errors.Is(err, recorder.ErrFull) {
		code = exitcode.Full
	}
	if errors.Is(err, context.Canceled) {
		code = exitcode.Interrupted
	}
	data, next := "Earlier sessions are untouched.", "Burn it again."
	switch {
	case b.d.Info.Kind == medium.Overwritable && b.start == 0:
		data = "The disc was blank before; what is on it now is not complete."
	case b.d.Info.Kind == medium.Overwritable:
	case !b.d.Info.Profile.IsCD():
		data += " The new session is left open so that it can be finished."
		next = "Run 'burnfs burn --resume' with exactly the same image."
	default:
		data += " On a CD an interrupted track cannot be continued."
		next = "Run 'burnfs close', which makes room for a new session, and burn it again."
	}
	return failure.New(code, err, fmt.Sprintf("the burn stopped after %d blocks: %v", b.written, err), data, next)
}

// verify reads the session back and compares it with what was burned.
func (b *burn) verify(ctx context.Context) error {
	if b.d.Info.Kind != medium.Overwritable {
		if err := b.d.Refresh(ctx); err != nil {
			return err
		}
	}
	optional := uint32(0) // zeros at the end of a CD track may be unreadable
	if b.d.Info.Profile.IsCD() {
		optional = min(b.sum.zeros, runOut)
	}
	got := blockSum{Hash: sha256.New()}
	// While one is filled the other one is summed.
	var buffers [2][chunkBlocks * iso9660.BlockSize]byte
	summed := make(chan struct{})
	close(summed)
	turn := 0
	for done := uint32(0); done < b.written; {
		n := min(chunkBlocks, b.written-done)
		if left := b.written - done; left > optional {
			n = min(n, left-optional)
		}
		p := buffers[turn][:n*iso9660.BlockSize]
		err := b.d.ReadBlocks(ctx, b.start+done, p)
		<-summed
		if err != nil {
			if ctx.Err() == nil && b.written-done <= optional {
				b.req.Log.Info("the padding at the end of the track cannot be read, as usual on a CD", "lba", b.start+done)
				got.zeros = b.sum.zeros
				return b.compare(got)
			}
			return b.unreadable(b.start+done, err)
		}
		summed = got.alongside(p)
		turn = 1 - turn
		done += n
		b.req.Progress(control.Progress{Phase: "verifying", Done: int64(done) * iso9660.BlockSize, Total: int64(b.written) * iso9660.BlockSize})
	}
	<-summed
	return b.compare(got)
}

func (b *burn) compare(got blockSum) error {
	if b.sum.equal(got) {
		return nil
	}
	return failure.New(exitcode.Verify, nil, fmt.Sprintf("the session at block %d does not read back as it was written", b.start),
		"The image is unharmed; earlier sessions are untouched.", "The disc or the drive may be bad: burn it to another disc.")
}

func (b *burn) unreadable(lba uint32, err error) error {
	if errors.Is(err, context.Canceled) {
		return failure.New(exitcode.Interrupted, err, "interrupted while reading back", "The session is on the disc but was not checked completely.", "Check it with 'burnfs verify'.")
	}
	return failure.New(exitcode.Verify, err, fmt.Sprintf("block %d of the new session cannot be read back", lba),
		"The image is unharmed; earlier sessions are untouched.", "The disc or the drive may be bad: burn it to another disc.")
}
