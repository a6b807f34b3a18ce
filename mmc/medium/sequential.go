package medium

import (
	"context"
	"errors"
	"fmt"
	"math"

	"burnfs/mmc"
)

// sequential inspects media with sessions, read-only ones included: READ DISC
// INFORMATION and READ TRACK INFORMATION tell most, READ TOC what read-only
// drives can tell.
func (i *inspection) sequential(ctx context.Context) error {
	if err := i.readable(ctx); err != nil {
		return err
	}
	di, err := i.d.ReadDiscInformation(ctx)
	if err != nil {
		if definite(err) && i.info.Kind == ReadOnly {
			return i.fromTOC(ctx)
		}
		return err
	}
	tracks, err := i.tracks(ctx, di)
	if err != nil {
		return err
	}
	if len(tracks) == 0 && i.info.Kind == ReadOnly {
		return i.fromTOC(ctx)
	}
	if i.conf.Current(mmc.FeatureBDRPseudoOver) {
		return i.pseudoOverwrite(tracks)
	}
	i.sort(di, tracks)
	i.judge(di)
	return nil
}

// maxTrackNumber bounds the loop over tracks: BD-R has at most 7927 tracks
// (MMC-5 4.5.3.5.2), and a garbled reply should not keep the drive busy.
const maxTrackNumber = 8192

// tracks asks for all tracks, recorded or not.
func (i *inspection) tracks(ctx context.Context, di mmc.DiscInformation) ([]Track, error) {
	last := di.LastTrackInLastSession()
	if last > maxTrackNumber {
		return nil, &mmc.ResponseError{Op: mmc.OpReadDiscInformation, Reason: fmt.Sprintf("%d tracks", last), Raw: di}
	}
	var ts []Track
	untold := false
	for n := max(1, di.FirstTrack()); n <= last; n++ {
		ti, err := readTrack(ctx, i.d, di, n)
		if definite(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		t := newTrack(ti)
		t.Number = n
		if !i.info.Profile.IsCD() {
			t.Audio, t.XA = false, false // some drives tell no track mode
		}
		ts = append(ts, t)
		untold = untold || !t.Audio && t.recorded() && ti.DataMode() != 1 && ti.DataMode() != dataModeXA
	}
	if untold && i.info.Profile.IsCD() {
		return ts, i.modesFromTOC(ctx, ts)
	}
	return ts, nil
}

// modesFromTOC finds out by the lead-ins which tracks are of CD-ROM XA: some
// drives do not tell the data mode of a track.
func (i *inspection) modesFromTOC(ctx context.Context, ts []Track) error {
	toc, err := i.d.ReadFullTOC(ctx)
	if err != nil && !definite(err) {
		return err
	}
	for _, e := range toc.Entries() {
		if e.ADR() != 1 || e.Point() != mmc.PointFirstTrack {
			continue
		}
		for n := range ts {
			if t := &ts[n]; t.Session == e.Session() && !t.Audio {
				t.XA = e.PMSF().S == mmc.SessionXA
			}
		}
	}
	return nil
}

// LastTrack asks for the last track of the last session: the one being recorded,
// or the empty one where the next session would start.
func LastTrack(ctx context.Context, d *mmc.Drive) (*Track, error) {
	di, err := d.ReadDiscInformation(ctx)
	if err != nil {
		return nil, err
	}
	n := di.LastTrackInLastSession()
	ti, err := readTrack(ctx, d, di, n)
	if err != nil {
		return nil, err
	}
	t := newTrack(ti)
	t.Number = n
	return &t, nil
}

// readTrack asks for one track by its number. CD writers may know the track that
// is still to be written only as the invisible one (MMC-5 6.27).
func readTrack(ctx context.Context, d *mmc.Drive, di mmc.DiscInformation, n int) (mmc.TrackInformation, error) {
	ti, err := d.ReadTrackInformation(ctx, mmc.ByTrack, uint32(n))
	if definite(err) && n == di.LastTrackInLastSession() && di.Status() != mmc.DiscComplete {
		ti, err = d.ReadTrackInformation(ctx, mmc.ByTrack, mmc.InvisibleTrack)
	}
	return ti, err
}

// dataModeXA is the data mode of tracks of CD-ROM XA (MMC-5 6.27.3.10).
const dataModeXA = 2

func newTrack(ti mmc.TrackInformation) Track {
	t := Track{
		Number: ti.Track(), Session: ti.Session(),
		// Some drives tell the start of the pregap, -150, for a blank CD.
		Start:   uint32(max(0, ti.Start())),
		Blocks:  ti.Size(),
		Free:    ti.FreeBlocks(),
		Blank:   ti.Blank(),
		Damaged: ti.Damage(), Reserved: ti.Reserved(),
		Audio: ti.TrackMode()&mmc.ControlData == 0,
		XA:    ti.TrackMode()&mmc.ControlData != 0 && ti.DataMode() == dataModeXA,
	}
	if ti.NWAValid() {
		t.NWAValid = true
		t.NWA = max(t.Start, uint32(max(0, ti.NWA())))
	}
	// Whatever a drive says, nothing lies beyond the address space.
	t.Blocks = min(t.Blocks, math.MaxUint32-t.Start)
	t.Free = min(t.Free, math.MaxUint32-max(t.Start, t.NWA))
	if ti.LRAValid() {
		t.LastRecordedValid = true
		t.LastRecorded = ti.LastRecorded()
	}
	return t
}

// recorded reports whether a track holds data. The blank bit alone does not tell:
// some drives do not set it for the empty track at the end of a DVD+R or BD-R.
func (t *Track) recorded() bool {
	if t.NWAValid && !t.Damaged {
		return t.NWA > t.Start
	}
	return !t.Blank
}

// sort distributes the tracks over complete sessions, the unclosed session and
// the empty track that waits for the next session.
func (i *inspection) sort(di mmc.DiscInformation, tracks []Track) {
	in := i.info
	closed := di.Status() == mmc.DiscComplete || in.Kind == ReadOnly
	for _, t := range tracks {
		complete := closed || t.Session < di.Sessions() || di.StateOfLastSession() == mmc.SessionComplete
		if !t.recorded() && di.Status() != mmc.DiscComplete {
			if t.NWAValid {
				in.NWA, in.Free = t.NWA, t.Free
			}
			continue
		}
		if !complete {
			t.Open = t.NWAValid
			if t.NWAValid {
				t.Blocks = t.NWA - t.Start
			}
		}
		if n := len(in.Sessions); n == 0 || in.Sessions[n-1].Number != t.Session {
			in.Sessions = append(in.Sessions, Session{Number: t.Session, Complete: complete})
		}
		s := &in.Sessions[len(in.Sessions)-1]
		s.Tracks = append(s.Tracks, t)
	}
	if n := len(in.Sessions); n > 0 && !in.Sessions[n-1].Complete {
		ts := in.Sessions[n-1].Tracks
		in.OpenTrack = &ts[len(ts)-1]
		if in.OpenTrack.NWAValid {
			in.NWA, in.Free = in.OpenTrack.NWA, in.OpenTrack.Free
		}
	}
	if s := in.LastComplete(); s != nil {
		in.LastSession = s.Start()
	}
}

// judge sets the status and decides whether the medium can be written.
func (i *inspection) judge(di mmc.DiscInformation) {
	in := i.info
	switch {
	case di.Status() == mmc.DiscEmpty && len(in.Sessions) == 0 && in.Kind == ReadOnly:
		in.Status = Blank // a medium that only others can write
		in.NWA, in.Free = 0, 0
	case di.Status() == mmc.DiscComplete || in.Kind == ReadOnly:
		in.Status = Complete
		in.NWA, in.Free = 0, 0
	case len(in.Sessions) == 0:
		// A BD-R that was only formatted calls itself appendable, too.
		in.Status = Blank
	default:
		in.Status = Appendable
	}
	if len(in.Sessions) == 0 {
		in.Capacity = 0 // drives tell anything while nothing is recorded
	}
	in.Total = max(in.Capacity, in.NWA+in.Free)
	if open := in.OpenTrack; in.Profile.IsCD() && open != nil && !open.NWAValid {
		in.Total = max(in.Total, endOfCD(di))
	}
	number, complete := 0, 0
	for _, s := range in.Sessions {
		number = max(number, s.Tracks[len(s.Tracks)-1].Number)
		if s.Complete {
			complete++
		}
	}
	in.Gap = gapAfter(in.Profile, complete+1)
	if in.NotWritableReason != "" {
		return
	}
	switch {
	case in.Status == Complete:
		in.NotWritableReason = "The disc is closed (finalized): it can be read, but nothing can be added to it any more. Use another disc for new data."
	case di.Status() == mmc.DiscOther:
		in.NotWritableReason = fmt.Sprintf("The %v is formatted for packet writing, which this program can only read. Blank it to use it, if it is rewritable.", in.Profile)
	case in.OpenTrack == nil && i.family.maxTracks > 0 && number >= i.family.maxTracks:
		in.NotWritableReason = fmt.Sprintf("The disc already has %d tracks, which is all a %v can have. It can be read; use another disc for new data.", number, in.Profile)
	case in.OpenTrack == nil && i.family.fragile && complete >= i.family.maxSessions:
		in.NotWritableReason = fmt.Sprintf("The disc already has %d sessions. Drives tend to fail when a %v gets %d or more, and the disc could become unreadable, so nothing is added to it. Use another disc for new data.", complete, in.Profile, i.family.maxSessions)
	case in.OpenTrack == nil && i.family.maxSessions > 0 && complete >= i.family.maxSessions:
		in.NotWritableReason = fmt.Sprintf("The disc already has %d sessions, which is all a %v can have. It can be read; use another disc for new data.", complete, in.Profile)
	case in.OpenTrack == nil && in.Free < max(1, in.MinTrack):
		in.NotWritableReason = "The disc is full. It can be read; use another disc for new data."
	default:
		in.NotWritableReason = i.cannotWrite()
	}
	if in.NotWritableReason == "" {
		i.judgeIncremental()
	}
}

// endOfCD is the address of the last possible lead-out, which a drive tells also
// while nothing can be written; 0 if it does not (MMC-5 6.22.3.1.14).
func endOfCD(di mmc.DiscInformation) uint32 {
	v := di.LastLeadOutStart()
	at := mmc.MSF{M: uint8(v >> 16), S: uint8(v >> 8), F: uint8(v)}
	if at.M >= 90 { // all ones: not known
		return 0
	}
	return uint32(max(0, at.LBA()))
}

// judgeIncremental finds out whether a DVD-R or DVD-RW takes sessions: with the
// drive's feature of incremental recording only. Otherwise it can be written
// once, from blank (MMC-5 5.3.11, 5.3.25).
func (i *inspection) judgeIncremental() {
	in := i.info
	if in.Profile != mmc.ProfileDVDR && in.Profile != mmc.ProfileDVDRWSeq || i.conf.Current(mmc.FeatureIncremental) {
		return
	}
	help := "Use another disc or drive."
	if in.Profile == mmc.ProfileDVDRWSeq {
		help = "Blank the disc in full, which brings it to take sessions; the quick way of blanking does not."
	}
	if in.Status != Blank && in.OpenTrack == nil {
		in.NotWritableReason = fmt.Sprintf("The drive does not add sessions to this %v. %s", in.Profile, help)
		return
	}
	in.OneSession = fmt.Sprintf("The drive writes this %v only as a single session, at once, and closes it thereby: nothing could be added later. %s", in.Profile, help)
}

// pseudoOverwrite describes a BD-R that is overwritten as if it could be: its last
// session stays open, and sessions exist only in the file system on it. For who
// only reads, it is one session from the start of the disc to where it is written.
func (i *inspection) pseudoOverwrite(tracks []Track) error {
	in := i.info
	in.Kind, in.Status = ReadOnly, Complete
	in.NotWritableReason = "The BD-R is formatted for pseudo-overwrite (POW), which rules out further sessions. It can be read; use an unformatted BD-R for new data."
	end := in.Capacity
	for _, t := range tracks {
		switch {
		case t.NWAValid:
			end = max(end, t.NWA)
		case t.recorded():
			end = max(end, t.Start+t.Blocks)
		}
	}
	in.Capacity, in.Total = end, end
	if end == 0 {
		in.Status = Blank
	} else {
		in.Sessions = []Session{{Number: 1, Complete: true, Tracks: []Track{{Number: 1, Session: 1, Blocks: end}}}}
	}
	return nil
}

// fromTOC describes a medium by what READ TOC tells: all tracks, and where the
// last session begins.
func (i *inspection) fromTOC(ctx context.Context) error {
	in := i.info
	in.Status = Complete
	in.Total = in.Capacity
	toc, err := i.d.ReadTOC(ctx, mmc.TOCFormatted)
	if err != nil {
		return err
	}
	multi, err := i.d.ReadTOC(ctx, mmc.TOCMultisess)
	if err != nil && !definite(err) {
		return err
	}
	lastSession, lastStart := 1, uint32(0)
	if ts := multi.Tracks(); len(ts) > 0 {
		lastSession, lastStart = max(1, multi.Last()), ts[0].Start()
	}
	ds := toc.Tracks()
	for n, d := range ds {
		if d.Number() == mmc.TOCLeadOut {
			break
		}
		t := Track{Number: d.Number(), Session: 1, Start: d.Start(), Audio: in.Profile.IsCD() && d.Control()&mmc.ControlData == 0}
		if n+1 < len(ds) && ds[n+1].Start() > t.Start {
			t.Blocks = ds[n+1].Start() - t.Start
		}
		// What lies between the first and the last session is not told; all
		// tracks before the last session count as the first one.
		if t.Start >= lastStart {
			t.Session = lastSession
		}
		if k := len(in.Sessions); k == 0 || in.Sessions[k-1].Number != t.Session {
			in.Sessions = append(in.Sessions, Session{Number: t.Session, Complete: true})
		}
		s := &in.Sessions[len(in.Sessions)-1]
		s.Tracks = append(s.Tracks, t)
	}
	if len(in.Sessions) == 0 {
		return errors.New("the drive lists no track on the medium")
	}
	in.LastSession = in.Sessions[len(in.Sessions)-1].Start()
	return nil
}
