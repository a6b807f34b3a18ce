// Package session is a disc in use: the medium, the tree of its last session,
// the overlay of pending changes, and the commits that turn one into the
// other.
//
//	┌──────────────────────── Disc ────────────────────────┐
//	│  tree.Tree ── staging.Store        commit.Plan        │
//	│     │ base                            │ Burn, Verify  │
//	│  volume.Volume ── blocks.Reader    recorder.Recorder  │
//	└──────────────────────┬───────────────────┬───────────┘
//	                    mmc.Drive ─────────────┘
//
// # Life of a commit
//
//	freeze ─▶ plan ─▶ journal ─▶ claim ─▶ burn ─▶ sync, close ─▶ verify ─▶ publish
//	  │        │                              │                      │         │
//	  │        └ nothing was written          │                      │         └ staging lets go
//	  └ changes stop only until the plan is made                     │
//	                                          └ interrupted: the plan stays in the
//	                                            journal and is resumed, see recover.go
//
// The journal is one value in staging's database, written before the first
// block is, and removed in the transaction that makes the session the base.
package session
