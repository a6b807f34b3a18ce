package fusefs

import (
	"fmt"
	"reflect"

	"bazil.org/fuse"
)

// What the kernel does for a server is agreed on in FUSE_INIT (linux/fuse.h,
// "INIT request/reply flags"). bazil.org/fuse v0.0.0-20230120002735 names these
// flags but has no option that asks for them:
//
//	FUSE_POSIX_ACL  access lists decide, as on local file systems. Without it
//	                whoever is named in one gets what the group bits say.
//	FUSE_DONT_MASK  the umask comes along unapplied, since a directory with a
//	                default list makes it void (acl(5)).
//	FUSE_SETXATTR_EXT  whether a new list takes the set-group-ID bit away comes
//	                along (Linux 5.13).
const accessLists = fuse.InitPosixACL | fuse.InitDontMask | fuse.InitSetxattrExt

// negotiate is an option that asks the kernel for flags. It makes mounting fail
// if bazil.org/fuse keeps them elsewhere than in the version named above.
func negotiate(flags fuse.InitFlags) fuse.MountOption {
	option := reflect.TypeFor[fuse.MountOption]()
	f := reflect.MakeFunc(option, func(args []reflect.Value) []reflect.Value {
		err := addFlags(args[0], flags)
		return []reflect.Value{reflect.ValueOf(&err).Elem()}
	})
	return f.Interface().(fuse.MountOption)
}

func addFlags(conf reflect.Value, flags fuse.InitFlags) error {
	f := conf.Elem().FieldByName("initFlags")
	if !f.IsValid() || f.Type() != reflect.TypeFor[fuse.InitFlags]() {
		return fmt.Errorf("bazil.org/fuse keeps the flags of a mount elsewhere in this version")
	}
	*(*fuse.InitFlags)(f.Addr().UnsafePointer()) |= flags
	return nil
}
