"""Reports as workbook, CSV and page, and the workbook that comes back."""
