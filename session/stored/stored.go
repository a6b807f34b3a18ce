// Package stored is the overlay of a disc as staging holds it, read without mounting the
// disc and without trusting what is read: what cannot be is a Problem, and the rest is there.
//
//	staging.ReadOnly ──▶ Load ──▶ Overlay ┬─▶ fsck    is it whole?
//	                                      └─▶ rescue  what is in it? copy it elsewhere
//
// Of the disc it knows nothing. A directory of the disc that was changed is here with its
// number and without its name, unless it was renamed.
package stored

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"burnfs/session/journal"
	"burnfs/session/staging"
	"burnfs/session/tree"
)

// Name is one name of the overlay.
type Name struct {
	Parent uint64
	Name   string
	tree.StoredName
}

// Removed tells whether the name was taken away.
func (n Name) Removed() bool { return n.Ino == 0 }

// Problem is a record or a part of the database that cannot be read.
type Problem struct {
	// Ino is the inode whose record it is; Parent and Name are the name's, if it is one. All
	// are empty for a part of the database.
	Ino, Parent uint64
	Name        string
	Err         error
}

// Overlay is everything that is staged for a disc.
type Overlay struct {
	Identity    staging.Identity
	IdentityErr error

	Journal    journal.Journal
	JournalErr error

	Inodes map[uint64]*tree.StoredInode
	Names  []Name // by parent and name

	// NextIno and Seq are the counters of the tree, 0 where there are none.
	NextIno, Seq uint64

	// LogEnd is the end of the log and LogUUID the disc that the database names.
	LogEnd  int64
	LogUUID string
	LogErr  error

	// Problems are at most MaxProblems; More counts the others.
	Problems []Problem
	More     int

	first map[uint64]int // index in Names of the first name of an inode
	kids  map[uint64][2]int
}

// MaxProblems bounds Overlay.Problems.
const MaxProblems = 1000

func (o *Overlay) problem(p Problem) {
	if len(o.Problems) < MaxProblems {
		o.Problems = append(o.Problems, p)
	} else {
		o.More++
	}
}

// Load reads a store. The error is that of ctx.
func Load(ctx context.Context, r *staging.ReadOnly) (*Overlay, error) {
	o := &Overlay{Inodes: map[uint64]*tree.StoredInode{}}
	o.Identity, o.IdentityErr = r.Identity()
	o.LogEnd, o.LogUUID, o.LogErr = r.Log()
	meta, err := r.Meta()
	o.JournalErr = err
	j, jerr := journal.Read(func(key string) []byte { return meta[key] })
	o.Journal, o.JournalErr = j, errors.Join(o.JournalErr, jerr)
	o.NextIno, _ = tree.ParseCounter(meta[tree.KeyNextIno])
	o.Seq, _ = tree.ParseCounter(meta[tree.KeySeq])
	for rec, err := range r.Inodes() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err == nil {
			var n *tree.StoredInode
			if n, err = tree.ParseInode(rec.Ino, rec.Record); err == nil {
				o.Inodes[rec.Ino] = n
			}
		}
		if err != nil {
			o.problem(Problem{Ino: rec.Ino, Err: err})
		}
	}
	for rec, err := range r.Dentries() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err == nil {
			var n tree.StoredName
			if n, err = tree.ParseName(rec.Record); err == nil {
				o.Names = append(o.Names, Name{rec.Parent, rec.Name, n})
			}
		}
		if err != nil {
			o.problem(Problem{Parent: rec.Parent, Name: rec.Name, Err: err})
		}
	}
	o.index()
	return o, nil
}

func (o *Overlay) index() {
	slices.SortStableFunc(o.Names, func(a, b Name) int {
		return cmp.Or(cmp.Compare(a.Parent, b.Parent), cmp.Compare(a.Name, b.Name))
	})
	o.first, o.kids = map[uint64]int{}, map[uint64][2]int{}
	for i, n := range o.Names {
		if _, ok := o.first[n.Ino]; !ok && n.Ino != 0 {
			o.first[n.Ino] = i
		}
		k, ok := o.kids[n.Parent]
		if !ok {
			k[0] = i
		}
		k[1] = i + 1
		o.kids[n.Parent] = k
	}
}

// In returns the names of the overlay in directory dir, sorted.
func (o *Overlay) In(dir uint64) []Name {
	k := o.kids[dir]
	return o.Names[k[0]:k[1]]
}

// Parents yields the directories in which the overlay has names, in ascending order.
func (o *Overlay) Parents() []uint64 {
	var all []uint64
	for i, n := range o.Names {
		if i == 0 || n.Parent != o.Names[i-1].Parent {
			all = append(all, n.Parent)
		}
	}
	return all
}

// FirstName returns a name of inode ino in the overlay, if it has one.
func (o *Overlay) FirstName(ino uint64) (Name, bool) {
	i, ok := o.first[ino]
	if !ok {
		return Name{}, false
	}
	return o.Names[i], true
}

// Nameless is how paths call what lies on the disc under a name that staging does not know.
func Nameless(ino uint64) string { return "inode-" + strconv.FormatUint(ino, 10) }

// Path returns a path of inode ino below the root of the disc, "." for the root. Where the
// disc would have to be asked, the path begins with Nameless, and whole is false.
func (o *Overlay) Path(ino uint64) (p string, whole bool) {
	seen := map[uint64]bool{}
	for ino != tree.RootIno {
		n, ok := o.FirstName(ino)
		if !ok || seen[ino] {
			return path.Join(Nameless(ino), p), false
		}
		seen[ino] = true
		p = path.Join(n.Name, p)
		ino = n.Parent
	}
	return cmp.Or(p, "."), true
}

// Blank tells whether the overlay builds upon a disc without a session, so that everything
// is in it.
func (o *Overlay) Blank() bool {
	return o.JournalErr == nil && o.Journal.Base != nil && o.Journal.Base.Hash == ""
}

// Pending counts what the next session would record, as tree.Pending does.
func (o *Overlay) Pending() tree.Pending {
	var p tree.Pending
	for _, n := range o.Inodes {
		switch {
		case n.IsDir():
			p.Dirs++
		default:
			p.Files++
			if n.Content != nil {
				p.Bytes += n.Content.StagedBytes()
			}
		}
	}
	for _, n := range o.Names {
		if n.Removed() {
			p.Removed++
		}
	}
	return p
}

// Size of an inode as stat(2) shows it, as far as staging knows.
func Size(n *tree.StoredInode) int64 {
	switch {
	case n.Content != nil:
		return n.Content.Size()
	case n.Mode&unix.S_IFMT == unix.S_IFLNK:
		return int64(len(n.Target))
	}
	return 0
}
