// Package policy decides when a disc commits without being told to.
//
//	             change               a rule is met
//	┌───────┐ ──────────▶ ┌─────────┐ ─────────────▶ ┌────────────┐
//	│ clean │             │ pending │                │ committing │
//	└───────┘ ◀────────── └─────────┘ ◀───────────── └─────┬──────┘
//	    ▲     nothing left     ▲      done, and more       │ failed
//	    │                      │      came meanwhile       ▼
//	    │                      │ the pause is over    ┌─────────┐
//	    │                      └───────────────────── │  held   │
//	    │                                             └────┬────┘
//	    │ somebody's commit succeeds                       │ the disc was used up
//	    │                                             ┌────▼────┐ for nothing twice
//	    └──────────────────────────────────────────── │ stopped │
//	                                                  └─────────┘
//
// A rule is one of
//
//	idle:D   nothing changed and no file was open for writing for D
//	every:D  D has passed since the first change that no session has
//	size:N   N bytes of new data wait
//
// and several may be in force: the first that is met commits. The rules umount
// and sync are not met here but by whoever unmounts or syncs.
//
// What a commit has frozen counts for nothing any more, whether it is still
// being burned or not: while any commit runs, and while an interrupted one is
// brought to its end, no rule is looked at. So what is written meanwhile begins
// the next session.
//
// On media that can be written once each session is for ever and costs room of
// its own, and a failed one may too. Therefore pauses after failures grow, and
// after two failures in a row that left something on the disc only a person
// goes on.
package policy
