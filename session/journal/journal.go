// Package journal is what staging knows of the disc and of a running commit: values beside
// the records of the overlay, in the same database, so that they change together.
//
//	disc.base        {"start":…,"hash":…}  the session that the overlay builds upon;
//	                                       not there before the first mount
//	commit.plan      the plan of a session  while it is on its way to the disc; its
//	                                       files are in the directory of the commit
//	commit.rejected  [block, …]            sessions that did not read back
package journal

import (
	"encoding/json"
	"fmt"

	"burnfs/session/commit"
	"burnfs/session/staging"
)

// Keys of the journal in staging.
const (
	KeyBase     = "disc.base"
	KeyPlan     = "commit.plan"
	KeyRejected = "commit.rejected"
)

// PlanName is the directory of a plan's files inside that of the commit.
const PlanName = "plan"

// Journal is the values.
type Journal struct {
	Base     *staging.BaseRef // nil before the first mount
	Plan     *commit.Plan
	Rejected []uint32 // first blocks of sessions that did not verify
}

// Read reads the journal from the values that get returns for keys, nil for none. What can
// be read is returned beside an error.
func Read(get func(key string) []byte) (j Journal, err error) {
	for _, v := range []struct {
		key string
		to  any
	}{{KeyBase, &j.Base}, {KeyPlan, &j.Plan}, {KeyRejected, &j.Rejected}} {
		if b := get(v.key); b != nil {
			if jerr := json.Unmarshal(b, v.to); jerr != nil && err == nil {
				err = fmt.Errorf("%s: %w", v.key, jerr)
			}
		}
	}
	return j, err
}
