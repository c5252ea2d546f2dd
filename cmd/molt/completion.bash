# Completion for bash: `source` this file, or put it as `molt` into the completions directory. The commands and their
# options are those that molt itself prints.

_molt() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local molt=${COMP_WORDS[0]} command=${COMP_WORDS[1]}
    COMPREPLY=()
    if ((COMP_CWORD == 1)) || [[ $COMP_CWORD == 2 && $command == help ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$molt" help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p')" -- "$current")
        return
    fi
    case $previous in
        --size) mapfile -t COMPREPLY < <(compgen -W "512K 1M 2M 4M 8M 16M" -- "$current"); return ;;
        --flash-params) mapfile -t COMPREPLY < <(compgen -W "keep image" -- "$current"); return ;;
    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$molt" "$command" --help 2>/dev/null | grep -o -- '--[a-z-]*' | sort -u)" -- "$current")
        return
    fi
    case $COMP_CWORD:$command in
        3:ls | 3:get | 3:rm | 3:extents | 3:plan | 3:upgrade | 3:torture)
            # Paths in the dump: what stands behind the sizes.
            mapfile -t COMPREPLY < <(compgen -W "$("$molt" ls "${COMP_WORDS[2]}" 2>/dev/null | sed -n 's/^ \{2,\}[0-9]* .* \([^ ]*\)$/\1/p')" -- "$current")
            ;;
        *) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    esac
}
complete -o filenames -F _molt molt
