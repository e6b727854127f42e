"""`python -m mercato`, where the script is not on the path."""

from mercato.main import main

main(prog_name="mercato")
