#!/bin/sh
# Makes a virtual environment where there is none that works.
#
#   dev/venv.sh FOLDER PYTHON [asked]
#
# It works if its Python still runs, and is the version that it was made for. With `asked` it must also be the version of
# PYTHON, which then is not just the default.
set -eu
folder=$1
python=$2
asked=${3:-}

version_of() { # such as 3.11.7; nothing where it does not run
  "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null || :
}

is_new_enough() {
  case $1 in 3.1[1-9].* | 3.[2-9][0-9].* | [4-9].*) ;; *) return 1 ;; esac
}

has=$(version_of "$folder/bin/python")
if is_new_enough "$has" && [ -d "$folder/lib/python${has%.*}" ] && [ -x "$folder/bin/pip" ]; then
  wanted=$has
  [ -z "$asked" ] || wanted=$(version_of "$python")
  [ "${has%.*}" != "${wanted%.*}" ] || exit 0
fi

found=$(version_of "$python")
if ! is_new_enough "$found"; then
  echo "Python 3.11 or newer is needed; $python is ${found:-not there}. Set PYTHON=… to another one." >&2
  exit 1
fi
[ ! -e "$folder" ] || echo "Making $folder anew with Python $found: it was made by another Python, or does not work."
rm -rf "$folder"
"$python" -m venv "$folder" || {
  rm -rf "$folder" # half made, it has a Python but no pip
  exit 1
}
