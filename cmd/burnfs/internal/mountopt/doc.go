// Package mountopt reads the argument of `-o`, as it is given to
// `burnfs mount`, to mount.burnfs by mount(8), or in an fstab line.
//
//	opt   = item *( "," item )
//	item  = name [ "=" value ]
//	value = any bytes; a "," in it is written "\,", a "\" is written "\\"
//
// Three kinds of items exist: burnfs' own, those of every filesystem that have
// a meaning here (ro, rw, allow_other…), and those that mount(8), systemd and
// the boot scripts keep for themselves (noauto, _netdev, x-systemd.…), which
// are accepted without effect so that one fstab line serves all of them.
// Anything else is an error, because a misspelt option must not burn a disc.
package mountopt
