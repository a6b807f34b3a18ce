package control

import "burnfs/cmd/burnfs/internal/failure"

// Status is the state of a mounted disc. Its JSON form is what
// `burnfs status --json` prints; fields are only ever added.
type Status struct {
	PID        int    `json:"pid"`
	Disc       string `json:"disc"`        // absolute path
	MountPoint string `json:"mount_point"` // absolute path
	State      string `json:"state"`       // idle, staging, burning, verifying, failed

	Media          string `json:"media"`
	VolumeID       string `json:"volume_id"`
	Sessions       int    `json:"sessions"`          // on the disc
	Session        int    `json:"session,omitempty"` // the one that is shown, when it is not the last
	CapacityBytes  int64  `json:"capacity_bytes"`
	FreeBytes      int64  `json:"free_bytes"`         // what the medium has left
	FitsBytes      int64  `json:"fits_bytes"`         // new data that can still be staged and certainly be burned
	Counting       bool   `json:"counting,omitempty"` // the directories of the disc are read to find out what fits
	ReadOnly       bool   `json:"read_only"`
	ReadOnlyReason string `json:"read_only_reason,omitempty"`

	NoDedupe   bool      `json:"no_dedupe,omitempty"` // -o dedupe=off
	Delta      string    `json:"delta,omitempty"`     // as -o delta= has it; empty when nothing is ever burned
	Commit     Commit    `json:"commit"`
	Pending    Pending   `json:"pending"`
	Progress   *Progress `json:"progress,omitempty"` // while burning or verifying
	Warnings   []string  `json:"warnings,omitempty"`
	Faults     int       `json:"faults,omitempty"`  // injected by mount --fault
	Trouble    string    `json:"trouble,omitempty"` // with the drive or its disc now, and what to do
	LastError  string    `json:"last_error,omitempty"`
	LastCommit *Report   `json:"last_commit,omitempty"`

	StagingDir string `json:"staging_dir,omitempty"`
	LogFile    string `json:"log_file,omitempty"`
}

// Commit is when sessions are burned.
type Commit struct {
	Policy string `json:"policy"`            // as -o commit= has it
	Next   string `json:"next,omitempty"`    // about the next automatic one, for people
	NextAt string `json:"next_at,omitempty"` // RFC 3339; when it is only a matter of time
	NextBy string `json:"next_by,omitempty"` // the rule that will then be met
	// SessionCostBytes is what a session takes of the disc besides its data.
	SessionCostBytes int64 `json:"session_cost_bytes,omitempty"`
}

// WrittenFile is a file that a program has open, or mapped, for writing.
type WrittenFile struct {
	Ino  uint64 `json:"ino"`
	Path []byte `json:"path"` // from the top of the mount on; any bytes, so it is no text
}

// Pending is what the next commit will burn.
type Pending struct {
	Files   int   `json:"files"`   // new or changed
	Dirs    int   `json:"dirs"`    // new or changed
	Removed int   `json:"removed"` // names
	Bytes   int64 `json:"bytes"`   // of new data
}

// Progress is how far a commit is, in bytes. Total is 0 when it is not known.
type Progress struct {
	Phase string `json:"phase"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

// PhaseUnmounted is the phase between the unmount and the commit.
const PhaseUnmounted = "unmounted"

// Report is what a commit did.
type Report struct {
	Burned   bool `json:"burned"`             // false: nothing was pending, or Detached
	Detached bool `json:"detached,omitempty"` // lazy unmount: the commit follows when the last program has let go
	// Left is what was not burned when the disc was unmounted, because -o commit=
	// said so; it is in StagingDir.
	Left         *Pending `json:"left,omitempty"`
	StagingDir   string   `json:"staging_dir,omitempty"`
	Session      int      `json:"session,omitempty"`
	Start        uint32   `json:"start,omitempty"`  // first block of the session
	Blocks       uint32   `json:"blocks,omitempty"` // of 2048 bytes
	NewDataBytes int64    `json:"new_data_bytes,omitempty"`
	// ReusedFiles were written and need no data: they are on the disc from before, or
	// once for several files.
	ReusedFiles int64  `json:"reused_files,omitempty"`
	ReusedBytes int64  `json:"reused_bytes,omitempty"`
	MountHint   string `json:"mount_hint,omitempty"` // how to see this session with the kernel's isofs
	// Discarded is what was taken back, or would be.
	Discarded *Discarded `json:"discarded,omitempty"`
	// Plan is what the next session would be.
	Plan  *Plan `json:"plan,omitempty"`
	Stale bool  `json:"stale,omitempty"` // the kernel sees it only when the disc was loaded again
	// Boot says what the session changes about what the disc boots.
	Boot string `json:"boot,omitempty"`
}

// Discarded is what 'burnfs discard' takes back.
type Discarded struct {
	Files    int   `json:"files"`    // changed ones become as on the disc, new ones are lost
	Dirs     int   `json:"dirs"`     // likewise
	Restored int   `json:"restored"` // names that come back
	Bytes    int64 `json:"bytes"`    // of new data that are lost
}

// Plan is what 'burnfs plan --json' prints; fields are only ever added. Blocks have
// 2048 bytes.
type Plan struct {
	Time    string `json:"time"`              // of which it is, RFC 3339
	Nothing bool   `json:"nothing"`           // nothing would be burned; of the rest only FreeBytes is set
	Resumes bool   `json:"resumes,omitempty"` // an interrupted session is burned first, and it is that

	Session int    `json:"session,omitempty"`
	Start   uint32 `json:"start"`  // first block
	Blocks  uint32 `json:"blocks"` // tree + new data + checksums + padding
	// TakesBlocks is Blocks with what the medium asks for besides.
	TakesBlocks    int64  `json:"takes_blocks"`
	TreeBlocks     uint32 `json:"tree_blocks"` // descriptors, path tables, directories
	DataBlocks     uint32 `json:"data_blocks"` // new
	ChecksumBlocks uint32 `json:"checksum_blocks"`
	PaddingBlocks  uint32 `json:"padding_blocks"`

	Files     int64 `json:"files"` // that the session shows
	Dirs      int64 `json:"dirs"`
	NewFiles  int64 `json:"new_files"` // with new data
	NewBytes  int64 `json:"new_bytes"`
	KeptFiles int64 `json:"kept_files"` // with data that stays where it is
	KeptBytes int64 `json:"kept_bytes"`
	// ReusedFiles are written and need no data: it is on the disc, or recorded with
	// another new file.
	ReusedFiles int64       `json:"reused_files"`
	ReusedBytes int64       `json:"reused_bytes"`
	Largest     []PlanShare `json:"largest,omitempty"` // most new data first

	GapBlocks      int64 `json:"gap_blocks"`       // before the session
	GapAfterBlocks int64 `json:"gap_after_blocks"` // lost behind it
	GapAfterExact  bool  `json:"gap_after_exact"`  // false: the drive decides, and this is the most

	FreeBytes    int64  `json:"free_bytes"`    // before
	RemainsBytes int64  `json:"remains_bytes"` // after
	NextStart    uint32 `json:"next_start,omitempty"`
	LacksBytes   int64  `json:"lacks_bytes,omitempty"` // what does not fit

	SpeedKBps int     `json:"speed_kbps,omitempty"` // 1000 bytes a second; 0: not known
	Seconds   float64 `json:"seconds,omitempty"`    // of burning, without reading back
}

// PlanShare is the new data of one file.
type PlanShare struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

// Event is one line of a stream; exactly one field is set.
type Event struct {
	Progress *Progress        `json:"progress,omitempty"`
	Done     *Report          `json:"done,omitempty"`
	Failure  *failure.Failure `json:"failure,omitempty"`
}
