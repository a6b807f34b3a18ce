package session

import "burnfs/session/commit"

// State is what a disc is doing.
type State string

// States of a disc.
const (
	Idle      State = "idle"      // nothing to burn
	Staging   State = "staging"   // changes wait to be burned
	Burning   State = "burning"   // a session is planned, burned or closed
	Verifying State = "verifying" // a session is read back
	Failed    State = "failed"    // the last commit failed; see LastError
)

// Phases of a commit.
const (
	PhasePlanning  = "planning"
	PhaseBurning   = "burning"
	PhaseClosing   = "closing"
	PhaseVerifying = "verifying"
)

// Progress is how far a commit is, in bytes of its phase.
type Progress struct {
	Phase string `json:"phase"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

// Report is what a commit did.
type Report struct {
	Burned       bool   `json:"burned"` // false: there was nothing to burn
	Session      int    `json:"session,omitempty"`
	Start        uint32 `json:"start,omitempty"`  // first block
	Blocks       uint32 `json:"blocks,omitempty"` // of 2048 bytes
	NewDataBytes int64  `json:"newDataBytes,omitempty"`
	// Reused is what was written and is on the disc from before, or once for several
	// files.
	Reused    commit.Amount `json:"reused,omitzero"`
	MountHint string        `json:"mountHint,omitempty"` // how Linux mounts just this session
	// Stale: Linux, and programs that read through it, see the session only when
	// the disc was ejected and loaded again.
	Stale bool `json:"stale,omitempty"`
	// Boot says what the session changes about what the disc boots.
	Boot []string `json:"boot,omitempty"`
}

// DiscStatus describes the medium.
type DiscStatus struct {
	Media    string `json:"media"`
	VolumeID string `json:"volumeId"`
	Sessions int    `json:"sessions"`
	Capacity int64  `json:"capacity"` // bytes of the medium
	Free     int64  `json:"free"`     // bytes from the next session's start on
}

// PendingStatus is what waits to be burned.
type PendingStatus struct {
	Files   int   `json:"files"`
	Dirs    int   `json:"dirs"`
	Removed int   `json:"removed"`
	Bytes   int64 `json:"bytes"` // new file data
}

// Status is the state of a disc.
type Status struct {
	State     State         `json:"state"`
	Disc      DiscStatus    `json:"disc"`
	Pending   PendingStatus `json:"pending"`
	FitsBytes int64         `json:"fitsBytes"` // new file data that the disc certainly takes
	// Counting: what fits is not known yet, and FitsBytes is 0. See [tree.Tree.Counting].
	Counting       bool     `json:"counting,omitempty"`
	Progress       Progress `json:"progress"`
	ReadOnly       bool     `json:"readOnly"`
	ReadOnlyReason string   `json:"readOnlyReason,omitempty"`
	StagingDir     string   `json:"stagingDir,omitempty"`
	// Trouble says what is wrong with the drive or its disc now, and what to do.
	Trouble    string   `json:"trouble,omitempty"`
	LastError  string   `json:"lastError,omitempty"`
	LastCommit *Report  `json:"lastCommit,omitempty"`
	Warnings   []string `json:"warnings,omitempty"`
}

// Status may be called at any time and does not wait for the drive.
func (d *Disc) Status() Status {
	d.mu.Lock()
	s := Status{
		State: d.state, Progress: d.progress, ReadOnlyReason: d.readOnlyReason,
		Trouble: d.trouble, LastError: d.lastError, LastCommit: d.lastCommit, Warnings: d.warnings,
		Disc: DiscStatus{
			Media: d.info.Profile.String(), VolumeID: d.volumeID, Sessions: len(d.sessions),
			Capacity: int64(d.info.Total) * blockSize,
		},
	}
	s.Disc.Free = max(d.freeBlocks(), 0) * blockSize
	d.mu.Unlock()
	s.ReadOnly = s.ReadOnlyReason != ""
	if d.store == nil {
		return s
	}
	s.StagingDir = d.store.Dir()
	s.Counting, s.FitsBytes = d.tree.Counting(), d.tree.Available()
	p := d.tree.Pending()
	s.Pending = PendingStatus(p)
	if s.State == Idle && !p.Empty() {
		s.State = Staging
	}
	return s
}

// setState notes what the disc is doing now.
func (d *Disc) setState(s State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state = s
	if s == Idle || s == Failed {
		d.progress = Progress{}
	}
}

// reporter returns the function that notes progress in blocks of a phase and
// hands it on.
func (d *Disc) reporter(phase string, total uint32, tell func(Progress)) func(blocks uint32) {
	return func(blocks uint32) {
		p := Progress{Phase: phase, Done: int64(blocks) * blockSize, Total: int64(total) * blockSize}
		d.mu.Lock()
		d.progress = p
		d.mu.Unlock()
		if tell != nil {
			tell(p)
		}
	}
}
