// Package discinfo gathers what `burnfs info` tells about a drive and the disc
// in it, and words it for people.
package discinfo

import (
	"context"
	"errors"
	"fmt"

	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/speed"
	"burnfs/iso9660"
	"burnfs/mmc"
	"burnfs/mmc/medium"
	"burnfs/session"
	"burnfs/session/history"
)

// Info is everything; it is what --json prints. Sizes are in bytes, speeds in
// kB/s of 1000 bytes, addresses in blocks of 2048 bytes. Fields are only ever
// added.
type Info struct {
	Disc string `json:"disc"` // as it was named, an absolute path
	// PlainFile is a file without a disc's rules, such as an ISO image; the drive
	// presents it as a rewritable disc.
	PlainFile bool    `json:"plain_file,omitempty"`
	Drive     Drive   `json:"drive"`
	Medium    *Medium `json:"medium"` // null when there is none
}

// Drive is the drive, whatever is in it.
type Drive struct {
	Vendor   string   `json:"vendor"`
	Model    string   `json:"model"`
	Revision string   `json:"revision"`
	Writes   []string `json:"writes"` // kinds of media
	Handles  []string `json:"handles"`
}

// States of a medium.
const (
	Blank       = "blank"       // nothing is recorded
	Appendable  = "appendable"  // at least one more session can follow
	Interrupted = "interrupted" // a burn was not finished
	Closed      = "closed"      // nothing can be added
	Rewritable  = "rewritable"  // every block can be written at any time
	Unformatted = "unformatted" // the same, after it was formatted
)

// Medium is the disc in the drive.
type Medium struct {
	Profile         uint16 `json:"profile"` // MMC's number
	Name            string `json:"name"`
	Manufacturer    string `json:"manufacturer,omitempty"`
	MediaID         string `json:"media_id,omitempty"`
	State           string `json:"state"`
	PartlyFormatted bool   `json:"partly_formatted,omitempty"` // background formatting goes on when it is used
	VolumeID        string `json:"volume_id,omitempty"`        // of the newest session
	Boot            *Boot  `json:"boot,omitempty"`             // absent if nothing can be started with it
	Sessions        int    `json:"sessions"`
	LastSession     int64  `json:"last_session_address"` // -1 if there is none
	NextAddress     int64  `json:"next_address"`         // of the next session, -1 if there cannot be one
	CapacityBytes   int64  `json:"capacity_bytes"`
	UsedBytes       int64  `json:"used_bytes"` // up to the end of the last session, gaps included
	FreeBytes       int64  `json:"free_bytes"` // from the next session's start on
	FitsBytes       int64  `json:"fits_bytes"` // of new files in one session
	// FitsProblem says why nobody can tell what fits.
	FitsProblem string `json:"fits_problem,omitempty"`

	WriteSpeeds       []uint32 `json:"write_speeds_kbps"`
	CurrentWriteSpeed uint32   `json:"current_write_speed_kbps,omitempty"`

	Writable          bool   `json:"writable"`
	NotWritableReason string `json:"not_writable_reason,omitempty"`
	OneSession        string `json:"one_session_reason,omitempty"`

	Interrupted *Burn    `json:"interrupted,omitempty"`
	Staged      []Staged `json:"staged"`
	// Advice is what to do next where something is in the way.
	Advice string `json:"advice,omitempty"`

	profile mmc.Profile
}

// Burn is one that was not finished.
type Burn struct {
	Session       int    `json:"session"`
	Start         uint32 `json:"start"`
	RecordedBytes int64  `json:"recorded_bytes,omitempty"` // 0 if the drive does not tell
	Resumable     bool   `json:"resumable"`                // the drive could go on with it
	Damaged       bool   `json:"damaged"`
}

// Staged is what waits on the local disk for the disc.
type Staged struct {
	Dir        string `json:"dir"`
	Changes    bool   `json:"changes"`
	Unfinished bool   `json:"unfinished_burn"`
}

// Gather asks the drive. A drive without a medium is no error.
func Gather(ctx context.Context, path string, d *mmc.Drive, staged func(*discs.Disc) []session.Waiting) (*Info, error) {
	i := &Info{Disc: path, PlainFile: discs.Plain(path)}
	if err := i.Drive.gather(ctx, d); err != nil {
		return nil, err
	}
	disc := &discs.Disc{Drive: d}
	err := disc.Refresh(ctx)
	if errors.Is(err, mmc.ErrNoMedium) {
		return i, nil
	}
	if err != nil {
		return nil, err
	}
	i.Medium = &Medium{profile: disc.Info.Profile}
	return i, i.Medium.gather(ctx, disc, staged(disc))
}

func (v *Drive) gather(ctx context.Context, d *mmc.Drive) error {
	q, err := d.Inquiry(ctx)
	if err != nil {
		return err
	}
	v.Vendor, v.Model, v.Revision = q.Vendor(), q.Product(), q.Revision()
	conf, err := d.GetConfiguration(ctx, mmc.AllFeatures, 0)
	if err != nil {
		return err
	}
	v.Writes, v.Handles = names(medium.Writes(conf)), names(conf.Profiles())
	return nil
}

func names(ps []mmc.Profile) []string {
	list := make([]string, 0, len(ps))
	for _, p := range ps {
		list = append(list, p.String())
	}
	return list
}

func (m *Medium) gather(ctx context.Context, d *discs.Disc, staged []session.Waiting) (err error) {
	info := d.Info
	m.Profile, m.Name = uint16(info.Profile), info.Profile.String()
	if m.Manufacturer, m.MediaID, err = maker(ctx, d.Drive, info.Profile); err != nil {
		return err
	}
	m.State, m.PartlyFormatted = state(info), info.FormatStopped
	m.Sessions = len(d.Sessions)
	m.LastSession, m.NextAddress = -1, -1
	for i := range d.Sessions {
		s := &d.Sessions[i]
		m.LastSession = int64(s.Start)
		m.UsedBytes = max(m.UsedBytes, bytes(s.End()))
		if s.Readable {
			m.VolumeID = s.VolumeID
		}
	}
	if m.Boot, err = gatherBoot(ctx, d); err != nil {
		return err
	}
	m.CapacityBytes = bytes(info.Total)
	m.NotWritableReason = info.NotWritableReason
	m.OneSession = info.OneSession
	m.Writable = info.Writable()
	if m.Writable {
		if err := m.space(ctx, d); err != nil {
			return err
		}
	}
	if m.WriteSpeeds, err = speed.Offered(ctx, d.Drive); err != nil {
		return err
	}
	if m.WriteSpeeds == nil {
		m.WriteSpeeds = []uint32{}
	}
	if page, err := d.SenseCapabilities(ctx); err == nil {
		m.CurrentWriteSpeed = uint32(page.WriteSpeed())
	} else if !answered(err) {
		return err
	}
	m.Staged = []Staged{}
	for _, w := range staged {
		m.Staged = append(m.Staged, Staged{w.Dir, w.Changes, w.Unfinished})
	}
	if t := info.OpenTrack; t != nil {
		m.Interrupted = &Burn{Session: t.Session, Start: t.Start, RecordedBytes: bytes(Recorded(t)), Resumable: t.Open && !info.Profile.IsCD(), Damaged: t.Damaged}
	}
	m.Advice = advice(m, info, staged)
	return nil
}

// space tells where the next session goes and what it can hold.
func (m *Medium) space(ctx context.Context, d *discs.Disc) error {
	next, err := history.Next(d.Info, d.Sessions)
	if err != nil {
		m.Writable, m.NotWritableReason = false, err.Error()
		return nil
	}
	m.NextAddress = int64(next)
	m.FreeBytes = bytes(d.Info.Free)
	if d.Info.Kind == medium.Overwritable {
		m.FreeBytes = bytes(d.Info.Free - min(d.Info.Free, next))
	}
	m.FitsBytes, err = session.Room(ctx, d.Drive, d.Info, d.Sessions)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		m.FitsProblem = err.Error()
	}
	return nil
}

func state(info *medium.Info) string {
	switch {
	case info.OpenTrack != nil:
		return Interrupted
	case info.Kind == medium.Overwritable && info.Unformatted:
		return Unformatted
	case info.Kind == medium.Overwritable:
		return Rewritable
	case info.Status == medium.Blank:
		return Blank
	case info.Status == medium.Appendable:
		return Appendable
	}
	return Closed
}

// maker is who made the disc and what kind of theirs it is, by the codes that are
// pressed into it; empty where a drive or a medium does not tell.
func maker(ctx context.Context, d *mmc.Drive, p mmc.Profile) (name, id string, err error) {
	switch p {
	case mmc.ProfileCDR, mmc.ProfileCDRW:
		// Manufacturers of CD are told by where the lead-in begins, a number that
		// each has its own of.
		var a mmc.ATIP
		if a, err = d.ReadATIP(ctx); err == nil {
			start := a.LeadInStart()
			id = fmt.Sprintf("%dm%02ds%02df", start.M, start.S, start.F)
		}
	case mmc.ProfileDVDPlusR, mmc.ProfileDVDPlusRDL, mmc.ProfileDVDPlusRW, mmc.ProfileDVDPlusRWDL:
		var a mmc.ADIP
		if a, err = d.ReadADIP(ctx); err == nil {
			name, id = a.Manufacturer(), a.MediaType()
		}
	case mmc.ProfileDVDR, mmc.ProfileDVDRDL, mmc.ProfileDVDRDLJump, mmc.ProfileDVDRWSeq, mmc.ProfileDVDRWOver, mmc.ProfileDVDRWDL:
		var i mmc.PrerecordedInformation
		if i, err = d.ReadPrerecordedInformation(ctx); err == nil {
			name = i.Manufacturer()
		}
	case mmc.ProfileBDRSRM, mmc.ProfileBDRRRM, mmc.ProfileBDRE, mmc.ProfileBDROM:
		var i mmc.BDDiscInformation
		if i, err = d.ReadBDDiscInformation(ctx); err == nil {
			name, id = i.Manufacturer(), i.MediaType()
		}
	}
	if answered(err) {
		err = nil
	}
	return name, id, err
}

// Recorded is how many blocks of an open track are recorded, 0 if the drive does
// not tell.
func Recorded(t *medium.Track) uint32 {
	switch {
	case t.NWAValid:
		return t.Blocks
	case t.LastRecordedValid && t.LastRecorded >= t.Start:
		return t.LastRecorded - t.Start + 1
	}
	return 0
}

// answered reports whether the drive has answered, if only to say no or nonsense:
// then there is nothing to tell, and no reason to fail.
func answered(err error) bool {
	_, sense := errors.AsType[*mmc.SenseError](err)
	_, response := errors.AsType[*mmc.ResponseError](err)
	return sense || response
}

func advice(m *Medium, info *medium.Info, staged []session.Waiting) string {
	if t := info.OpenTrack; t != nil {
		for _, w := range staged {
			if w.Unfinished && w.Start == t.Start {
				return "Mount the disc: burnfs then completes the interrupted burn from " + w.Dir + "."
			}
		}
		if m.Interrupted.Resumable {
			return "If an image was burned, 'burnfs burn --resume' with the same image completes it. Otherwise 'burnfs close' makes room for a new session."
		}
		return "'burnfs close' makes room for a new session."
	}
	for _, w := range staged {
		if w.Changes || w.Unfinished {
			return "Mount the disc and unmount it to burn what waits for it in " + w.Dir + "."
		}
	}
	return ""
}

func bytes(blocks uint32) int64 { return int64(blocks) * iso9660.BlockSize }
