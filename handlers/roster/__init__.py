"""roster: who belongs to us, according to somebody's spreadsheet?"""
